package auth

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// The lists in testdata are those that ssh-keygen -k of OpenSSH 9.2 makes:
//
//	serials        -s ca.pub, of 5, 0x10, 100-200 and 18446744073709551615
//	bitmap         -s ca.pub bitmap.spec
//	ids            -s ca.pub, of "laptop" and "ünï"
//	any-authority  -s NONE, of 5
//	key, sha1, sha256  of user.pub
//	authority      ca.pub
//	empty
func list(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func public(t testing.TB, name string) ssh.PublicKey {
	t.Helper()
	key, _, _, _, err := ssh.ParseAuthorizedKey(list(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func revocations(t testing.TB, name string) *Revocations {
	t.Helper()
	r, err := ParseRevocations(list(t, name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return r
}

func TestListsOfSSHKeygen(t *testing.T) {
	ca, other, user := public(t, "ca.pub"), public(t, "other.pub"), public(t, "user.pub")
	cert := func(authority ssh.PublicKey, serial uint64, id string) *ssh.Certificate {
		return &ssh.Certificate{Key: user, SignatureKey: authority, Serial: serial, KeyId: id, CertType: ssh.UserCert}
	}
	type row struct {
		list    string
		key     ssh.PublicKey
		revoked bool
	}
	tests := []row{
		{"serials.krl", cert(ca, 4, "x"), false},
		{"serials.krl", cert(ca, 5, "x"), true},
		{"serials.krl", cert(other, 5, "x"), false},
		{"serials.krl", cert(ca, 16, "x"), true},
		{"serials.krl", cert(ca, 99, "x"), false},
		{"serials.krl", cert(ca, 100, "x"), true},
		{"serials.krl", cert(ca, 150, "x"), true},
		{"serials.krl", cert(ca, 200, "x"), true},
		{"serials.krl", cert(ca, 201, "x"), false},
		{"serials.krl", cert(ca, math.MaxUint64, "x"), true},
		{"serials.krl", cert(ca, 0, "x"), false},
		{"serials.krl", user, false},
		{"any-authority.krl", cert(ca, 5, "x"), true},
		{"any-authority.krl", cert(other, 5, "x"), true},
		{"any-authority.krl", cert(other, 6, "x"), false},
		{"ids.krl", cert(ca, 0, "laptop"), true},
		{"ids.krl", cert(ca, 0, "ünï"), true},
		{"ids.krl", cert(ca, 0, "Laptop"), false},
		{"ids.krl", cert(other, 0, "laptop"), false},
		{"authority.krl", cert(ca, 1, "x"), true},
		{"authority.krl", ca, true},
		{"authority.krl", cert(other, 1, "x"), false},
		{"empty.krl", cert(ca, 1, "x"), false},
		{"empty.krl", user, false},
		{"ca.pub", cert(ca, 1, "x"), true}, // a list of keys, as text
		{"ca.pub", cert(other, 1, "x"), false},
		{"ca.pub", user, false},
		{"user.pub", cert(ca, 1, "x"), true},
		{"user.pub", user, true},
	}
	for _, hash := range []string{"key.krl", "sha1.krl", "sha256.krl"} {
		for _, key := range []ssh.PublicKey{user, cert(ca, 1, "x"), cert(other, 0, "")} {
			tests = append(tests, row{hash, key, true})
		}
		tests = append(tests, row{hash, other, false})
	}
	for _, test := range tests {
		if got := revocations(t, test.list).Revoked(test.key); got != test.revoked {
			c, _ := test.key.(*ssh.Certificate)
			t.Errorf("%s, %s, %+v: revoked %v", test.list, test.key.Type(), c, got)
		}
	}

	want := map[string]bool{}
	for line := range strings.Lines(string(list(t, "bitmap.spec"))) {
		want[strings.TrimSpace(strings.TrimPrefix(line, "serial: "))] = true
	}
	bits := revocations(t, "bitmap.krl")
	if len(bits.issued[string(ca.Marshal())].bitmaps) == 0 {
		t.Error("the list has no bitmap, and tests nothing")
	}
	for serial := range uint64(2000) {
		if got := bits.Revoked(cert(ca, serial, "x")); got != want[strconv.FormatUint(serial, 10)] {
			t.Errorf("bitmap.krl, serial %d: revoked %v", serial, got)
		}
	}
}

// packet is an SSH packet of its fields: numbers, and strings with their length.
func packet(fields ...any) []byte {
	var b []byte
	for _, f := range fields {
		switch f := f.(type) {
		case byte:
			b = append(b, f)
		case uint32:
			b = binary.BigEndian.AppendUint32(b, f)
		case uint64:
			b = binary.BigEndian.AppendUint64(b, f)
		case []byte:
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(f))), f...)
		}
	}
	return b
}

func krl(sections ...byte) []byte {
	head := append([]byte(krlMagic), packet(uint32(1), uint64(1), uint64(1), uint64(0), []byte(nil), []byte("comment"))...)
	return append(head, sections...)
}

// certificates is a section for whichever authority.
func certificates(sections ...byte) []byte {
	return packet(byte(sectionCertificates), append(packet([]byte(nil), []byte(nil)), sections...))
}

// TestThreat31ListsAreReadStrictly: what is damaged or unknown is an error, and
// never a list that revokes less than it says.
func TestThreat31ListsAreReadStrictly(t *testing.T) {
	good := map[string][]byte{
		"nothing":              krl(),
		"extension":            krl(packet(byte(sectionExtension), packet([]byte("x"), byte(0), []byte("y")))...),
		"signature":            krl(packet(byte(sectionSignature), []byte("key"), []byte("signature"), byte(sectionSignature), []byte("key"), []byte("s"))...),
		"whole range":          krl(certificates(packet(byte(certRange), packet(uint64(0), uint64(math.MaxUint64)))...)...),
		"bitmap to the end":    krl(certificates(packet(byte(certBitmap), packet(uint64(math.MaxUint64-1), []byte{3}))...)...),
		"empty bitmap":         krl(certificates(packet(byte(certBitmap), packet(uint64(math.MaxUint64), []byte(nil)))...)...),
		"extension of serials": krl(certificates(packet(byte(certExtension), packet([]byte("x"), byte(0), []byte(nil)))...)...),
		"nothing, as text":     nil,
		"comments":             []byte("# nobody\n\n   # yet"),
	}
	for name, data := range good {
		if _, err := ParseRevocations(data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := map[string][]byte{
		"format 2":               append([]byte(krlMagic), packet(uint32(2), uint64(1), uint64(1), uint64(0), []byte(nil), []byte(nil))...),
		"unknown section":        krl(packet(byte(77), []byte("x"))...),
		"critical extension":     krl(packet(byte(sectionExtension), packet([]byte("x"), byte(1), []byte("y")))...),
		"broken extension":       krl(packet(byte(sectionExtension), []byte("x"))...),
		"behind the signature":   krl(packet(byte(sectionSignature), []byte("key"), []byte("s"), byte(sectionKeys), packet([]byte("k")))...),
		"signature cut off":      krl(packet(byte(sectionSignature), []byte("key"))...),
		"short SHA-1":            krl(packet(byte(sectionSHA1), packet(make([]byte, 19)))...),
		"long SHA-256":           krl(packet(byte(sectionSHA256), packet(make([]byte, 33)))...),
		"keys cut off":           krl(packet(byte(sectionKeys), []byte("abc"))...),
		"length beyond the end":  krl(byte(sectionKeys), 0xff, 0xff, 0xff, 0xff),
		"certificates cut off":   krl(packet(byte(sectionCertificates), packet([]byte("ca")))...),
		"serial of 7 bytes":      krl(certificates(packet(byte(certSerials), make([]byte, 15))...)...),
		"range backwards":        krl(certificates(packet(byte(certRange), packet(uint64(2), uint64(1)))...)...),
		"range of one":           krl(certificates(packet(byte(certRange), packet(uint64(2)))...)...),
		"bitmap beyond 64 bits":  krl(certificates(packet(byte(certBitmap), packet(uint64(math.MaxUint64-1), []byte{4}))...)...),
		"negative bitmap":        krl(certificates(packet(byte(certBitmap), packet(uint64(1), []byte{0x80}))...)...),
		"unknown certificates":   krl(certificates(packet(byte(0x24), []byte("x"))...)...),
		"critical, of serials":   krl(certificates(packet(byte(certExtension), packet([]byte("x"), byte(1), []byte(nil)))...)...),
		"text that is no key":    []byte("SHA256:abc\n"),
		"key with options":       append([]byte("no-pty "), list(t, "ca.pub")...),
		"key that is cut off":    list(t, "ca.pub")[:60],
		"line without an end":    []byte(strings.Repeat("x", 1<<20)),
		"beginning of the magic": []byte(krlMagic[:7]),
	}
	for name, whole := range map[string][]byte{"serials": list(t, "serials.krl"), "bitmap": list(t, "bitmap.krl"), "sha1": list(t, "sha1.krl")} {
		for n := range len(whole) {
			if n > 0 && n != len(krl())-len("comment") { // there an empty list ends
				bad[name+" cut at "+strconv.Itoa(n)] = whole[:n]
			}
		}
	}
	for name, data := range bad {
		if _, err := ParseRevocations(data); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestJoinSpans(t *testing.T) {
	of := &issued{serials: joinSpans([]span{{7, 9}, {1, 3}, {4, 5}, {2, 2}, {8, 20}, {math.MaxUint64, math.MaxUint64}, {math.MaxUint64 - 1, math.MaxUint64}})}
	if len(of.serials) != 3 {
		t.Errorf("%v", of.serials)
	}
	for serial, want := range map[uint64]bool{1: true, 3: true, 5: true, 6: false, 7: true, 20: true, 21: false, math.MaxUint64 - 2: false, math.MaxUint64 - 1: true, math.MaxUint64: true} {
		if got := of.revoked(&ssh.Certificate{Serial: serial}); got != want {
			t.Errorf("serial %d: %v", serial, got)
		}
	}
}

func FuzzParseRevocations(f *testing.F) {
	files, err := filepath.Glob("testdata/*.krl")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range append(files, "testdata/ca.pub") {
		f.Add(list(f, filepath.Base(file)), uint64(5), "laptop")
	}
	f.Add(krl(packet(byte(sectionSignature), []byte("key"), []byte("s"))...), uint64(0), "")
	user, ca := public(f, "user.pub"), public(f, "ca.pub")
	f.Fuzz(func(t *testing.T, data []byte, serial uint64, id string) {
		r, err := ParseRevocations(data)
		if err != nil {
			return
		}
		cert := &ssh.Certificate{Key: user, SignatureKey: ca, Serial: serial, KeyId: id}
		if (r.Revoked(user) || r.Revoked(ca)) && !r.Revoked(cert) {
			t.Error("the key is revoked, and its certificate is not")
		}
	})
}
