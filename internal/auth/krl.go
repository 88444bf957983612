package auth

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"

	"golang.org/x/crypto/ssh"
)

// krlMagic is how a key revocation list begins.
const krlMagic = "SSHKRL\n\x00"

// The types of sections, and of those inside a section of certificates.
const (
	sectionCertificates = 1
	sectionKeys         = 2
	sectionSHA1         = 3
	sectionSignature    = 4
	sectionSHA256       = 5
	sectionExtension    = 255

	certSerials   = 0x20
	certRange     = 0x21
	certBitmap    = 0x22
	certKeyIDs    = 0x23
	certExtension = 0x39
)

var errCut = errors.New("the list is cut off or damaged")

// parseKRL reads a key revocation list as ssh-keygen -k writes it (OpenSSH's
// PROTOCOL.krl, format 1). What it does not understand is an error: it could be
// a revocation. Signatures are not verified, as OpenSSH does not verify them
// either; the list is as good as the file that holds it.
func parseKRL(data []byte) (*Revocations, error) {
	var head struct {
		Magic                     [len(krlMagic)]byte
		Format                    uint32
		Version, Generated, Flags uint64
		Reserved, Comment         []byte
		Sections                  []byte `ssh:"rest"`
	}
	if err := ssh.Unmarshal(data, &head); err != nil {
		return nil, errCut
	}
	if head.Format != 1 {
		return nil, fmt.Errorf("the list has format %d, and 1 is the only one that is known", head.Format)
	}
	r := newRevocations()
	signed := false
	err := eachSection(head.Sections, func(kind byte, body, rest []byte) ([]byte, error) {
		if kind == sectionSignature { // its body is the key, and behind it, outside, comes the signature
			signed = true
			_, rest, err := cutString(rest)
			return rest, err
		}
		if signed {
			return nil, errors.New("the list goes on behind its signature")
		}
		return rest, r.addSection(kind, body)
	})
	if err != nil {
		return nil, err
	}
	for _, of := range r.issued {
		of.serials = joinSpans(of.serials)
	}
	return r, nil
}

// eachSection calls do for each section of data, with what is behind it; do
// gives what is left of that.
func eachSection(data []byte, do func(kind byte, body, rest []byte) ([]byte, error)) error {
	for len(data) > 0 {
		body, rest, err := cutString(data[1:])
		if err != nil {
			return err
		}
		if data, err = do(data[0], body, rest); err != nil {
			return err
		}
	}
	return nil
}

// cutString takes a string (RFC 4251 §5) off data.
func cutString(data []byte) (text, rest []byte, err error) {
	if len(data) < 4 {
		return nil, nil, errCut
	}
	n := binary.BigEndian.Uint32(data)
	if data = data[4:]; uint64(n) > uint64(len(data)) {
		return nil, nil, errCut
	}
	return data[:n], data[n:], nil
}

// eachString calls do for the strings that data consists of.
func eachString(data []byte, do func([]byte) error) error {
	for len(data) > 0 {
		text, rest, err := cutString(data)
		if err != nil {
			return err
		}
		if err := do(text); err != nil {
			return err
		}
		data = rest
	}
	return nil
}

func (r *Revocations) addSection(kind byte, body []byte) error {
	switch kind {
	case sectionCertificates:
		return r.addCertificates(body)
	case sectionKeys:
		return eachString(body, func(blob []byte) error {
			r.addKey(blob)
			return nil
		})
	case sectionSHA1:
		return eachString(body, func(sum []byte) error { return addDigest(r.sha1s, sum) })
	case sectionSHA256:
		return eachString(body, func(sum []byte) error { return addDigest(r.sha256s, sum) })
	case sectionExtension:
		return checkExtension(body)
	}
	return fmt.Errorf("the list has a section of type %d, which is not known", kind)
}

// addDigest adds a fingerprint to a set of arrays of its length.
func addDigest[D [20]byte | [32]byte](set map[D]bool, sum []byte) error {
	var d D
	if len(sum) != len(d) {
		return fmt.Errorf("the list has a fingerprint of %d bytes, where %d belong", len(sum), len(d))
	}
	for i := range sum {
		d[i] = sum[i]
	}
	set[d] = true
	return nil
}

// checkExtension refuses an extension that changes what the list means.
func checkExtension(body []byte) error {
	var x struct {
		Name     string
		Critical bool
		Contents []byte
	}
	switch err := ssh.Unmarshal(body, &x); {
	case err != nil:
		return errCut
	case x.Critical:
		return fmt.Errorf("the list has the critical extension %.60q, which is not known", x.Name)
	}
	return nil
}

// addCertificates reads a section of certificates of one authority, or where
// its key is empty, of whichever.
func (r *Revocations) addCertificates(body []byte) error {
	authority, body, err := cutString(body)
	if err != nil {
		return err
	}
	_, body, err = cutString(body) // reserved
	if err != nil {
		return err
	}
	of := r.issued[string(authority)]
	if of == nil {
		of = &issued{ids: map[string]bool{}}
		r.issued[string(authority)] = of
	}
	return eachSection(body, func(kind byte, body, rest []byte) ([]byte, error) { return rest, of.addSection(kind, body) })
}

// issued are the certificates of one authority that are revoked.
type issued struct {
	serials []span // in order, once all have been read
	bitmaps []bitmap
	ids     map[string]bool
}

// span is the serial numbers from low to high.
type span struct{ low, high uint64 }

// bitmap has a bit for each serial number from first on.
type bitmap struct {
	first uint64
	bits  *big.Int
}

func (of *issued) addSection(kind byte, body []byte) error {
	switch kind {
	case certSerials:
		for ; len(body) >= 8; body = body[8:] {
			serial := binary.BigEndian.Uint64(body)
			of.serials = append(of.serials, span{serial, serial})
		}
		if len(body) > 0 {
			return errCut
		}
		return nil
	case certRange:
		var s struct{ Low, High uint64 }
		if err := ssh.Unmarshal(body, &s); err != nil || s.Low > s.High {
			return errCut
		}
		of.serials = append(of.serials, span{s.Low, s.High})
		return nil
	case certBitmap:
		var b struct {
			First uint64
			Bits  *big.Int
		}
		err := ssh.Unmarshal(body, &b)
		if err != nil || b.Bits.Sign() < 0 || b.Bits.Sign() > 0 && uint64(b.Bits.BitLen()-1) > math.MaxUint64-b.First {
			return errCut
		}
		of.bitmaps = append(of.bitmaps, bitmap{b.First, b.Bits})
		return nil
	case certKeyIDs:
		return eachString(body, func(id []byte) error {
			of.ids[string(id)] = true
			return nil
		})
	case certExtension:
		return checkExtension(body)
	}
	return fmt.Errorf("the list has certificates by a section of type %#x, which is not known", kind)
}

// isKRL tells a key revocation list from a list of public keys.
func isKRL(data []byte) bool { return bytes.HasPrefix(data, []byte(krlMagic)) }
