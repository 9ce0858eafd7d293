// Package digest is SHA-256 (FIPS 180-4) for the contents of programs, and the
// text of such digests.
//
// crypto/sha256 would do, and is what the tests compare with. But importing it
// brings the whole of Go's certified module into the start of every callgate,
// ciphers and generators among them, and takes 80 µs of it. A digest of public
// bytes has neither secrets nor timing to protect.
package digest

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Digest is the SHA-256 of some bytes. The zero Digest is none.
type Digest [32]byte

// prefix names the algorithm, as container images do.
const prefix = "sha256:"

// String returns "sha256:" and 64 hexadecimal digits.
func (d Digest) String() string { return prefix + hex.EncodeToString(d[:]) }

// IsZero reports whether there is no digest.
func (d Digest) IsZero() bool { return d == Digest{} }

// Parse reads what String returns. The error quotes the text and says the cure.
func Parse(text string) (Digest, error) {
	digits, ok := strings.CutPrefix(text, prefix)
	raw, err := hex.DecodeString(digits)
	if !ok || err != nil || len(raw) != len(Digest{}) || strings.ToLower(digits) != digits {
		return Digest{}, fmt.Errorf("%q is not a digest: write what callgate policy digest prints: sha256: and 64 digits of 0-9a-f", text)
	}
	d := Digest(raw)
	if d.IsZero() {
		return Digest{}, errors.New("the digest is all zeros, which no known file has: write what callgate policy digest prints")
	}
	return d, nil
}
