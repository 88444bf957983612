package ftpserver

import (
	"crypto/tls"
	"net"
	"testing"
)

// An upload that is cut before its first byte is no empty file, in MODE Z
// neither.
func TestThreat12CutUploadInModeZIsNotPublished(t *testing.T) {
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			s := serveTLS(t, false, nil)
			c := s.login(clientTLS(version), "alice")
			c.put("f", "content", "226")
			c.do("MODE Z", "200")
			nc := c.passive()
			c.do("STOR f", "150")
			tc := tls.Client(nc, c.tls)
			if err := tc.Handshake(); err != nil {
				t.Fatal(err)
			}
			_ = nc.(*net.TCPConn).CloseWrite()
			c.want("426")
			if got, _ := s.content("/f"); got != "content" {
				t.Errorf("the file has become %q", got)
			}
		})
	}
}
