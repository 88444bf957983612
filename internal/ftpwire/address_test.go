package ftpwire_test

import (
	"errors"
	"net/netip"
	"testing"

	"ferry/internal/ftpwire"
)

// addressTest: an empty want is an error.
type addressTest struct{ in, want string }

func testAddresses(t *testing.T, parse func(string) (netip.AddrPort, error), tests []addressTest) {
	t.Helper()
	for _, tt := range tests {
		got, err := parse(tt.in)
		if tt.want == "" {
			if err == nil {
				t.Errorf("%q: got %v, want an error", tt.in, got)
			}
			continue
		}
		if err != nil || got.String() != tt.want {
			t.Errorf("%q: got %v, %v; want %s", tt.in, got, err, tt.want)
		}
	}
}

func TestParsePORT(t *testing.T) {
	testAddresses(t, ftpwire.ParsePORT, []addressTest{
		{"192,0,2,7,4,1", "192.0.2.7:1025"},
		{"255,255,255,255,255,255", "255.255.255.255:65535"},
		{"0,0,0,0,0,0", "0.0.0.0:0"},
		{"", ""}, {"192,0,2,7,4", ""}, {"192,0,2,7,4,1,", ""}, {"192,0,2,7,4,1,1", ""}, {"192,0,2,256,4,1", ""},
		{"192,0,2,7,4,-1", ""}, {"192,0,2,7,4,+1", ""}, {"192,0,2,7,4,", ""}, {" 192,0,2,7,4,1", ""},
		{"192,0,2,7,4,1 ", ""}, {"192,0,2,7,4,0x1", ""}, {"192,0,2,7,4,0001", ""}, {"192.0.2.7.4.1", ""}, {"192,0,2,7,4,99999999999999999999", ""},
	})
}

func TestParsePASV(t *testing.T) {
	testAddresses(t, ftpwire.ParsePASV, []addressTest{
		{"Entering Passive Mode (192,0,2,7,195,80).", "192.0.2.7:50000"},
		{"227 Entering Passive Mode 192,0,2,7,195,80", "192.0.2.7:50000"},
		{"=192,0,2,7,195,80", "192.0.2.7:50000"},
		{"1, 2, 192,0,2,7,195,80", "192.0.2.7:50000"},
		{"Entering Passive Mode (192,0,2,7,195)", ""}, {"192,0,2,7,195,800", ""}, {"192,0,2,7,195,8000", ""}, {"", ""},
	})
}

func TestParseEPRT(t *testing.T) {
	testAddresses(t, ftpwire.ParseEPRT, []addressTest{
		{"|1|132.235.1.2|6275|", "132.235.1.2:6275"},
		{"|2|1080::8:800:200C:417A|5282|", "[1080::8:800:200c:417a]:5282"},
		{"!1!132.235.1.2!6275!", "132.235.1.2:6275"},
		{"|2|::ffff:192.0.2.7|6275|", "192.0.2.7:6275"},
		{"|1|132.235.1.2|65536|", ""}, {"|1|132.235.1.2|-1|", ""}, {"|1|132.235.1.2||", ""}, {"|1|132.235.1.2|6275", ""},
		{"1|132.235.1.2|6275|", ""}, {"|1|::1|6275|", ""}, {"|2|132.235.1.2|6275|", ""}, {"|2|fe80::1%eth0|6275|", ""},
		{"|1|localhost|6275|", ""}, {"|1|132.235.01.2|6275|", ""}, {"|1|132.235.1.2|6275||", ""}, {"", ""}, {"|", ""},
		{" 1 132.235.1.2 6275 ", ""}, {"||132.235.1.2|6275|", ""}, {"|x|132.235.1.2|6275|", ""},
	})
	for in, family := range map[string]bool{"|3|132.235.1.2|6275|": true, "|12|x|1|": true, "|x|132.235.1.2|6275|": false, "|1|x|1|": false} {
		if _, err := ftpwire.ParseEPRT(in); errors.Is(err, ftpwire.ErrProtocolFamily) != family {
			t.Errorf("ParseEPRT(%q): %v, want ErrProtocolFamily: %t", in, err, family)
		}
	}
}

func TestParseEPSV(t *testing.T) {
	tests := []struct {
		in   string
		want uint16
		ok   bool
	}{
		{"Entering Extended Passive Mode (|||50000|)", 50000, true},
		{"229 Extended (see RFC 2428) Mode (!!!1!).", 1, true},
		{"(|||65536|)", 0, false}, {"(||50000|)", 0, false}, {"(|||50000)", 0, false}, {"(|1|192.0.2.7|50000|)", 0, false},
		{"|||50000|", 0, false}, {"(||||)", 0, false}, {"(", 0, false}, {"", 0, false}, {"(|||+1|)", 0, false},
	}
	for _, tt := range tests {
		if got, err := ftpwire.ParseEPSV(tt.in); got != tt.want || (err == nil) != tt.ok {
			t.Errorf("ParseEPSV(%q) = %d, %v; want %d, %t", tt.in, got, err, tt.want, tt.ok)
		}
	}
}

func TestParseLPRT(t *testing.T) {
	testAddresses(t, ftpwire.ParseLPRT, []addressTest{
		{"4,4,192,0,2,7,2,4,1", "192.0.2.7:1025"},
		{"6,16,16,128,0,0,0,0,0,0,0,8,8,0,32,12,65,122,2,20,162", "[1080::8:800:200c:417a]:5282"},
		{"4,4,192,0,2,7,2,4", ""}, {"4,16,192,0,2,7,2,4,1", ""}, {"4,4,192,0,2,7,3,4,1", ""}, {"6,4,192,0,2,7,2,4,1", ""},
		{"4,4,192,0,2,7,2,4,1,0", ""}, {"4", ""}, {"", ""}, {"4,4,192,0,2,7,2,4,256", ""},
		{"6,16,16,128,0,0,0,0,0,0,0,8,8,0,32,12,65,122,2,20,162,1", ""},
	})
	if _, err := ftpwire.ParseLPRT("5,4,192,0,2,7,2,4,1"); !errors.Is(err, ftpwire.ErrProtocolFamily) {
		t.Errorf("family 5: %v, want ErrProtocolFamily", err)
	}
}

func TestAddressesPrinted(t *testing.T) {
	four, six := netip.MustParseAddrPort("192.0.2.7:50000"), netip.MustParseAddrPort("[2001:db8::1%eth0]:50000")
	mapped := netip.MustParseAddrPort("[::ffff:192.0.2.7]:50000")
	tests := []struct{ name, got, want string }{
		{"PASV", string(ftpwire.AppendPASV(nil, four)), "192,0,2,7,195,80"},
		{"PASV, mapped", string(ftpwire.AppendPASV(nil, mapped)), "192,0,2,7,195,80"},
		{"PORT", string(ftpwire.AppendPORT(nil, four)), "192,0,2,7,195,80"},
		{"EPSV", string(ftpwire.AppendEPSV(nil, 50000)), "(|||50000|)"},
		{"EPRT", string(ftpwire.AppendEPRT(nil, four)), "|1|192.0.2.7|50000|"},
		{"EPRT, mapped", string(ftpwire.AppendEPRT(nil, mapped)), "|1|192.0.2.7|50000|"},
		{"EPRT, zone", string(ftpwire.AppendEPRT(nil, six)), "|2|2001:db8::1|50000|"},
		{"LPSV", string(ftpwire.AppendLPSV(nil, mapped)), "4,4,192,0,2,7,2,195,80"},
		{"LPSV, 6", string(ftpwire.AppendLPSV(nil, six)), "6,16,32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,1,2,195,80"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, tt.got, tt.want)
		}
	}
}

func FuzzAddresses(f *testing.F) {
	for _, s := range []string{"192,0,2,7,4,1", "|1|132.235.1.2|6275|", "|2|1080::8:800:200C:417A|5282|", "|2|fe80::1%eth0|1|", "(|||50000|)",
		"4,4,192,0,2,7,2,4,1", "6,16,16,128,0,0,0,0,0,0,0,8,8,0,32,12,65,122,2,20,162", "227 Passive (1,2,3,4,5,6).", "((((|||", "11111"} {
		f.Add(s)
	}
	type form struct {
		parse func(string) (netip.AddrPort, error)
		print func([]byte, netip.AddrPort) []byte
	}
	forms := map[string]form{
		"PORT": {ftpwire.ParsePORT, ftpwire.AppendPORT},
		"PASV": {ftpwire.ParsePASV, ftpwire.AppendPASV},
		"EPRT": {ftpwire.ParseEPRT, ftpwire.AppendEPRT},
		"LPRT": {ftpwire.ParseLPRT, ftpwire.AppendLPSV},
	}
	f.Fuzz(func(t *testing.T, in string) {
		for name, form := range forms {
			ap, err := form.parse(in)
			if err != nil {
				continue
			}
			printed := string(form.print(nil, ap))
			if again, err := form.parse(printed); err != nil || again != ap {
				t.Errorf("%s %q: %v, printed %q, parsed again %v, %v", name, in, ap, printed, again, err)
			}
		}
		if port, err := ftpwire.ParseEPSV(in); err == nil {
			if again, err := ftpwire.ParseEPSV(string(ftpwire.AppendEPSV(nil, port))); err != nil || again != port {
				t.Errorf("EPSV %q: %d, again %d, %v", in, port, again, err)
			}
		}
	})
}
