package auth

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"golang.org/x/crypto/argon2"
)

// work is what one call of the hash function was asked to do.
type work struct{ passes, memory uint32 }

// counting is a Hasher that is cheap and writes down its work.
func counting(t *testing.T) (h *Hasher, done *[]work) {
	t.Helper()
	h, err := NewHasher(Cost{Memory: 16, Passes: 2}, 1)
	if err != nil {
		t.Fatal(err)
	}
	done = new([]work)
	h.derive = func(password, salt []byte, passes, memory uint32, lanes uint8, keyLen uint32) []byte {
		*done = append(*done, work{passes, memory})
		return argon2.IDKey(password, salt, passes, memory, lanes, keyLen)
	}
	return h, done
}

func hashed(t *testing.T, h *Hasher, password string) string {
	t.Helper()
	encoded, err := h.Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func TestHashIsVerified(t *testing.T) {
	h, err := NewHasher(DefaultCost(), 2)
	if err != nil {
		t.Fatal(err)
	}
	one, two := hashed(t, h, "päss wörd"), hashed(t, h, "päss wörd")
	if one == two {
		t.Error("two hashes of one password are the same: no salt")
	}
	if !strings.HasPrefix(one, "$argon2id$v=19$m=32768,t=3,p=1$") {
		t.Errorf("hash %q", one)
	}
	for password, want := range map[string]bool{"päss wörd": true, "pass word": false, "päss wörd ": false, "": false} {
		if got, err := h.Verify(t.Context(), one, password); got != want || err != nil {
			t.Errorf("Verify(%q) = %v, %v", password, got, err)
		}
	}
}

func TestHashRefusesWhatNobodyCouldLogInWith(t *testing.T) {
	h, _ := counting(t)
	secret := strings.Repeat("s3cret", MaxPassword)
	for _, password := range []string{"", secret} {
		if _, err := h.Hash(t.Context(), password); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("Hash of %d bytes: %v", len(password), err)
		}
	}
}

func TestNewHasherRefusesCosts(t *testing.T) {
	for _, cost := range []Cost{{}, {Memory: 7, Passes: 1}, {Memory: 8}, {Memory: maxMemory + 1, Passes: 1}, {Memory: 8, Passes: maxPasses + 1}} {
		if _, err := NewHasher(cost, 1); err == nil {
			t.Errorf("cost %+v was taken", cost)
		}
	}
}

// The hashes are those of libxcrypt, of the argon2 reference, of passlib and SFTPGo.
func TestVerifyReadsTheHashesOfOthers(t *testing.T) {
	const password = "Hello world!"
	tests := []struct{ password, encoded string }{
		{"password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"},
		{password, "$2b$05$CCCCCCCCCCCCCCCCCCCCC.z6PrHbuSsMSSwIGFy1JGevQZf6CqJ1y"},
		{password, "$2y$05$CCCCCCCCCCCCCCCCCCCCC.z6PrHbuSsMSSwIGFy1JGevQZf6CqJ1y"},
		{password, "$2a$05$CCCCCCCCCCCCCCCCCCCCC.z6PrHbuSsMSSwIGFy1JGevQZf6CqJ1y"},
		{password, "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"},
		{password, "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA"},
		{password, "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"},
		{password, "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v."},
		{password, "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$42RgPIrXdXSEEs77lDi/4IqKVqFBAVaHJkzw5uD1r57"},
		{password, "$y$j75$abcdefgh$seYLk3C3HyTtiwemJi2fPeplJP3Gd5RaKYGEt1rRkF2"},
		{password, "$7$CU..../....saltsalt$/v1Z0CYnoyMsG31WXZAOGvOqVi4eCGgrMIkWV4FhZv2"},
		{password, "$scrypt$ln=10,r=8,p=2$c2FsdHNhbHRzYWx0$fh3x3PRdhwtzAx500RB/Cb5SB3jaxfKeVnih4oVlKIE"},
		{password, "$1$saltstri$YMyguxXMBpd2TEZ.vS/3q1"},
		{password, "$pbkdf2$1000$c2FsdHNhbHRzYWx0$tcDY4Ns4YlZMLIv4ztG9FCRgUzY"},
		{password, "$pbkdf2-sha256$1000$c2FsdHNhbHRzYWx0$d.o5.l8s.LGaQzxcovmk87gkRWX2/MUVH6/6GVFuZFA"},
		{password, "$pbkdf2-sha512$1000$c2FsdHNhbHRzYWx0$4sQVQp6U4C0fCyK2bcZvX/rvso0J8mvlyvml7aHey8Bg95QVVnW523JPh4GyM59BETkWcxhbI35.jw/G8tvg7w"},
		{password, "$pbkdf2-sha1$1000$saltsaltsalt$tcDY4Ns4YlZMLIv4ztG9FCRgUzY="},
		{password, "$pbkdf2-sha256$1000$saltsaltsalt$d+o5+l8s+LGaQzxcovmk87gkRWX2/MUVH6/6GVFuZFA="},
		{password, "$pbkdf2-b64salt-sha256$1000$c2FsdHNhbHRzYWx0$d+o5+l8s+LGaQzxcovmk87gkRWX2/MUVH6/6GVFuZFA="},
	}
	h, _ := counting(t)
	for _, test := range tests {
		if right, err := h.Verify(t.Context(), test.encoded, test.password); !right || err != nil {
			t.Errorf("%s: right password: %v, %v", test.encoded, right, err)
		}
		if right, err := h.Verify(t.Context(), test.encoded, test.password+"!"); right || err != nil {
			t.Errorf("%s: wrong password: %v, %v", test.encoded, right, err)
		}
	}
}

const (
	someSalt = "c29tZXNhbHQ"
	someKey  = "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	bcrypt53 = "CCCCCCCCCCCCCCCCCCCCC.z6PrHbuSsMSSwIGFy1JGevQZf6CqJ1y"
	shaKey   = "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"

	yescryptKey = "kWIqxcWfXjuZr31QB0vcBe5BBK9FByx0O2mMdKkHFM/"
	scryptKey   = "fh3x3PRdhwtzAx500RB/Cb5SB3jaxfKeVnih4oVlKIE"
	pbkdf2Key   = "d.o5.l8s.LGaQzxcovmk87gkRWX2/MUVH6/6GVFuZFA"
)

func TestVerifyRefusesHashes(t *testing.T) { // threat 31
	tests := []struct{ name, encoded string }{
		{"a password as it is", "s3cret"},
		{"nothing but signs", "$$$$$$"},
		{"MD5-crypt with a long salt", "$1$saltstring$YMyguxXMBpd2TEZ.vS/3q1"},
		{"MD5-crypt that is cut off", "$1$saltstri$YMyguxXMBpd2TEZ.vS/3q"},
		{"Apache's MD5", "$apr1$saltstri$YMyguxXMBpd2TEZ.vS/3q1"},
		{"DES-crypt", "ab01FAX.bQRSU"},
		{"locked account", "!" + "$5$saltstring$" + shaKey},
		{"yescrypt that takes too much memory", "$y$jFT$saltsaltsalt$" + yescryptKey},
		{"yescrypt with more parameters", "$y$j9T1$saltsaltsalt$" + yescryptKey},
		{"yescrypt without a salt", "$y$j9T$$" + yescryptKey},
		{"yescrypt that is cut off", "$y$j9T$saltsaltsalt$" + yescryptKey[:20]},
		{"yescrypt and more", "$y$j9T$saltsaltsalt$" + yescryptKey + "x"},
		{"yescrypt with other digits", "$y$j9T$salt salt$" + yescryptKey},
		{"scrypt that takes too much memory", "$scrypt$ln=20,r=8,p=1$c2FsdHNhbHRzYWx0$" + scryptKey},
		{"scrypt that takes too long", "$scrypt$ln=10,r=8,p=500$c2FsdHNhbHRzYWx0$" + scryptKey},
		{"scrypt of nothing", "$scrypt$ln=0,r=8,p=1$c2FsdHNhbHRzYWx0$" + scryptKey},
		{"scrypt without p", "$scrypt$ln=10,r=8$c2FsdHNhbHRzYWx0$" + scryptKey},
		{"libxcrypt's scrypt that takes too much memory", "$7$zU..../....saltsalt$/v1Z0CYnoyMsG31WXZAOGvOqVi4eCGgrMIkWV4FhZv2"},
		{"libxcrypt's scrypt with large r", "$7$CzzzzzU....saltsalt$/v1Z0CYnoyMsG31WXZAOGvOqVi4eCGgrMIkWV4FhZv2"},
		{"libxcrypt's scrypt that is cut off", "$7$CU..../..$x"},
		{"PBKDF2 with too many rounds", "$pbkdf2-sha256$2000001$c2FsdHNhbHRzYWx0$" + pbkdf2Key},
		{"PBKDF2 with no round", "$pbkdf2-sha256$0$c2FsdHNhbHRzYWx0$" + pbkdf2Key},
		{"PBKDF2 with another sum", "$pbkdf2-md5$1000$c2FsdHNhbHRzYWx0$" + pbkdf2Key},
		{"PBKDF2 without a salt", "$pbkdf2-sha256$1000$$" + pbkdf2Key},
		{"PBKDF2 with a short key", "$pbkdf2-sha256$1000$c2FsdHNhbHRzYWx0$AAAA"},
		{"argon2i", "$argon2i$v=19$m=65536,t=2,p=1$" + someSalt + "$" + someKey},
		{"other version", "$argon2id$v=16$m=65536,t=2,p=1$" + someSalt + "$" + someKey},
		{"no version", "$argon2id$m=65536,t=2,p=1$" + someSalt + "$" + someKey},
		{"too much memory", "$argon2id$v=19$m=4294967295,t=2,p=1$" + someSalt + "$" + someKey},
		{"too little memory", "$argon2id$v=19$m=15,t=2,p=2$" + someSalt + "$" + someKey},
		{"too many passes", "$argon2id$v=19$m=65536,t=4294967295,p=1$" + someSalt + "$" + someKey},
		{"no pass", "$argon2id$v=19$m=65536,t=0,p=1$" + someSalt + "$" + someKey},
		{"no lane", "$argon2id$v=19$m=65536,t=2,p=0$" + someSalt + "$" + someKey},
		{"too many lanes", "$argon2id$v=19$m=65536,t=2,p=255$" + someSalt + "$" + someKey},
		{"parameters in another order", "$argon2id$v=19$t=2,m=65536,p=1$" + someSalt + "$" + someKey},
		{"negative parameter", "$argon2id$v=19$m=65536,t=-2,p=1$" + someSalt + "$" + someKey},
		{"parameter twice", "$argon2id$v=19$m=65536,t=2,p=1,p=1$" + someSalt + "$" + someKey},
		{"no argon2 salt", "$argon2id$v=19$m=65536,t=2,p=1$$" + someKey},
		{"no argon2 key", "$argon2id$v=19$m=65536,t=2,p=1$" + someSalt + "$"},
		{"short argon2 key", "$argon2id$v=19$m=65536,t=2,p=1$" + someSalt + "$AAAA"},
		{"argon2 key and more", "$argon2id$v=19$m=65536,t=2,p=1$" + someSalt + "$" + someKey + "$x"},
		{"bcrypt that is too expensive", "$2b$31$" + bcrypt53},
		{"bcrypt of the broken kind", "$2x$05$" + bcrypt53},
		{"bcrypt that is cut off", "$2b$05$" + bcrypt53[:40]},
		{"bcrypt and more", "$2b$05$" + bcrypt53 + "x"},
		{"SHA-crypt that is too expensive", "$5$rounds=999999999$saltstring$" + shaKey},
		{"SHA-crypt that is too cheap", "$5$rounds=10$saltstring$" + shaKey},
		{"SHA-crypt with two rounds", "$5$rounds=5000,rounds=999999999$saltstring$" + shaKey},
		{"SHA-crypt with something else", "$5$x=5000$saltstring$" + shaKey},
		{"SHA-crypt without a key", "$5$saltstring$"},
		{"SHA-crypt with the key of the other", "$6$saltstring$" + shaKey},
		{"SHA-crypt with a long salt", "$5$saltstringsaltstring$" + shaKey},
		{"SHA-crypt without a salt and key", "$5$"},
	}
	for _, test := range tests {
		h, done := counting(t)
		right, err := h.Verify(t.Context(), test.encoded, "s3cret")
		if right || !errors.Is(err, ErrHash) {
			t.Errorf("%s: %v, %v; want ErrHash", test.name, right, err)
			continue
		}
		for _, part := range []string{"s3cret", someSalt, someKey, bcrypt53[:40], shaKey, "saltstring", yescryptKey, scryptKey, pbkdf2Key} {
			if strings.Contains(err.Error(), part) {
				t.Errorf("%s: error %q tells of the hash or password", test.name, err)
			}
		}
		if len(*done) != 1 || (*done)[0] != (work{h.cost.Passes, h.cost.Memory}) {
			t.Errorf("%s: work %v, want that of one verification", test.name, *done)
		}
	}
}

func TestThreat29NothingMatchesNothing(t *testing.T) {
	h, _ := counting(t)
	// Somebody may have written a hash of "" into the database by other means.
	ofNothing := "$argon2id$v=19$m=16,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
	key := argon2.IDKey(nil, make([]byte, 16), 2, 16, 1, 32)
	ofNothing += b64(key)
	tests := []struct{ encoded, password string }{
		{"", ""}, {"", "x"}, {ofNothing, ""}, {hashed(t, h, "x"), ""},
	}
	for _, test := range tests {
		if right, err := h.Verify(t.Context(), test.encoded, test.password); right || err != nil {
			t.Errorf("Verify(%q, %q) = %v, %v", test.encoded, test.password, right, err)
		}
	}
}

func TestThreat30FloodComputesOnlySoMuchAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const seats, clients = 3, 50
		h, err := NewHasher(Cost{Memory: 8, Passes: 1}, seats)
		if err != nil {
			t.Fatal(err)
		}
		var running, most, all atomic.Int64
		next := make(chan struct{})
		h.derive = func(_, _ []byte, _, _ uint32, _ uint8, keyLen uint32) []byte {
			most.Store(max(most.Load(), running.Add(1)))
			all.Add(1)
			<-next
			running.Add(-1)
			return make([]byte, keyLen)
		}
		impatient, giveUp := context.WithCancel(t.Context())
		failed := make(chan error, clients)
		for i := range clients {
			go func() {
				switch i % 3 {
				case 0:
					_, err := h.Verify(impatient, "", "x")
					failed <- err
				case 1:
					_, err := h.Hash(impatient, "x")
					failed <- err
				case 2:
					failed <- h.Burn(impatient)
				}
			}()
		}
		synctest.Wait()
		if running.Load() != seats {
			t.Errorf("%d computations at once, want %d", running.Load(), seats)
		}
		giveUp() // those who wait stop waiting; those who compute finish
		for range clients - seats {
			if err := <-failed; !errors.Is(err, context.Canceled) {
				t.Errorf("a client that gave up got %v", err)
			}
		}
		close(next)
		for range seats {
			if err := <-failed; err != nil {
				t.Error(err)
			}
		}
		if all.Load() != seats || most.Load() != seats {
			t.Errorf("%d computations, at most %d at once; want %d", all.Load(), most.Load(), seats)
		}
	})
}

func FuzzParseHash(f *testing.F) {
	for _, seed := range []string{
		"$argon2id$v=19$m=16,t=2,p=1$" + someSalt + "$" + someKey, "$2b$04$" + bcrypt53, "$5$rounds=1000$s$" + shaKey, "$5$$" + shaKey,
		"$6$$", "$1$a$b", "$y$j9T$abcdefgh$" + yescryptKey, "$7$CU..../....saltsalt$" + yescryptKey,
		"$scrypt$ln=10,r=8,p=2$c2FsdA$" + scryptKey, "$pbkdf2-sha256$1000$salt$" + pbkdf2Key, "$$$$", "", "$argon2id$v=19$m=,t=,p=$$",
	} {
		f.Add(seed)
	}
	h, err := NewHasher(DefaultCost(), 1)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, encoded string) {
		matches, err := h.parse(encoded)
		switch {
		case err != nil && !errors.Is(err, ErrHash):
			t.Errorf("%q: %v is not ErrHash", encoded, err)
		case err == nil && cheap(encoded) && matches("no such password, and none that a fuzzer finds"):
			t.Errorf("%q matches", encoded)
		}
	})
}

// cheap tells which hashes a fuzzer has the time to compute.
func cheap(encoded string) bool {
	return strings.HasPrefix(encoded, "$2b$04$") || strings.HasPrefix(encoded, "$5$rounds=1000$")
}
