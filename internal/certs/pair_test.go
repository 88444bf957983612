package certs

import (
	"errors"
	"strings"
	"testing"
)

// FuzzFiles: whatever is in a file that the configuration names, it is
// understood or refused with one sentence that names it.
func FuzzFiles(f *testing.F) {
	pair, err := selfSign([]string{"ftp.example.com"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pair)
	f.Add(pair[:len(pair)/2])
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"))
	f.Add([]byte("-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMAA=\n-----END EC PRIVATE KEY-----\n"))
	f.Add([]byte("-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		chain, err := parseCertificates("the.file", data)
		sentence(t, err)
		if err == nil {
			_ = mismatch(errors.New("no key"), chain, data)
		}
		sentence(t, checkKey("the.file", data))
		_, err = parseRevocations("the.file", data, chain)
		sentence(t, err)
	})
}

func sentence(t *testing.T, err error) {
	t.Helper()
	if err != nil && (!strings.Contains(err.Error(), "the.file") || strings.Contains(err.Error(), "\n")) {
		t.Errorf("%q", err)
	}
}
