package ftpwire

import (
	"errors"
	"strings"
	"testing"
)

func TestParseHost(t *testing.T) {
	for _, test := range []struct {
		arg, host string
		err       error
	}{
		{"ftp.example", "ftp.example", nil},
		{"FTP.example.", "FTP.example.", nil},
		{"192.0.2.1", "192.0.2.1", nil},
		{"[2001:DB8::1]", "2001:db8::1", nil},
		{"[fe80::1%eth0]", "fe80::1", nil},
		{"[2001:db8::1", "", ErrHostLiteral},
		{"[192.0.2.1]", "", ErrHostLiteral},
		{"[ftp.example]", "", ErrHostLiteral},
		{"2001:db8::1", "", ErrHostPort},
		{"ftp.example:21", "", ErrHostPort},
		{"", "", ErrHostName},
		{"ftp example", "", ErrHostName},
		{"ftp/example", "", ErrHostName},
		{"ftp\x7f", "", ErrHostName},
		{strings.Repeat("a", 254), "", ErrHostName},
	} {
		if host, err := ParseHost(test.arg); host != test.host || !errors.Is(err, test.err) {
			t.Errorf("HOST %q: %q, %v; want %q, %v", test.arg, host, err, test.host, test.err)
		}
	}
}
