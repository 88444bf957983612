package ftpwire_test

import (
	"testing"
	"time"

	"ferry/internal/ftpwire"
)

func TestAppendDOSLine(t *testing.T) {
	when := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	tests := []struct {
		entry ftpwire.Entry
		zone  *time.Location
		want  string
	}{
		{ftpwire.Entry{Name: "dir name", Kind: ftpwire.KindDir, Modify: when}, nil, "01-02-26  03:04PM       <DIR>          dir name"},
		{ftpwire.Entry{Name: "f", Size: 1234, Modify: when}, nil, "01-02-26  03:04PM                 1234 f"},
		{ftpwire.Entry{Name: "big", Size: 1<<63 - 1, Modify: when}, nil, "01-02-26  03:04PM  9223372036854775807 big"},
		{ftpwire.Entry{Name: "link", Kind: ftpwire.KindLink, Target: "f", Size: 1, Modify: when}, nil, "01-02-26  03:04PM                    1 link"},
		{ftpwire.Entry{Name: "f", Modify: when}, time.FixedZone("", 9*3600), "01-03-26  12:04AM                    0 f"},
		{ftpwire.Entry{Name: "a\r\nb", Modify: when}, nil, "01-02-26  03:04PM                    0 a??b"},
	}
	for _, tt := range tests {
		if got := string(ftpwire.AppendDOSLine(nil, &tt.entry, tt.zone)); got != tt.want {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
}
