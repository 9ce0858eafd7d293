package digest

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"
)

// Every length around the ends of blocks, against Go's own.
func TestSumIsSHA256(t *testing.T) {
	data := make([]byte, 300)
	for i := range data {
		data[i] = byte(i * 7)
	}
	for n := range data {
		if got, want := Sum(data[:n]), Digest(sha256.Sum256(data[:n])); got != want {
			t.Fatalf("%d bytes: %v; want %v", n, got, want)
		}
	}
	large := bytes.Repeat(data, 10_000)
	if got, want := Sum(large), Digest(sha256.Sum256(large)); got != want {
		t.Errorf("%d bytes: %v; want %v", len(large), got, want)
	}
}

// The example of FIPS 180-4, which no code of Go's vouches for.
func TestSumOfTheStandardsExample(t *testing.T) {
	const want = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got := Sum([]byte("abc")).String(); got != want {
		t.Errorf("Sum(abc) = %s; want %s", got, want)
	}
}

func FuzzSum(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte(strings.Repeat("x", 119)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, want := Sum(data), Digest(sha256.Sum256(data)); got != want {
			t.Errorf("%v; want %v", got, want)
		}
	})
}

func TestParse(t *testing.T) {
	d := Sum(nil)
	if got, err := Parse(d.String()); got != d || err != nil {
		t.Errorf("Parse(%s) = %v, %v", d, got, err)
	}
	digits := strings.TrimPrefix(d.String(), "sha256:")
	for _, bad := range []string{
		"", digits, "sha256:", "sha512:" + digits, "sha256:" + strings.ToUpper(digits), "sha256:" + digits[1:],
		"sha256:" + digits + "00", "sha256:x" + digits[1:], " sha256:" + digits, "sha256:" + strings.Repeat("0", 64),
	} {
		if got, err := Parse(bad); err == nil {
			t.Errorf("Parse(%q) = %v; want an error", bad, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Sum(nil).String())
	f.Add("sha256:00")
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := Parse(text); err == nil && d.String() != text {
			t.Errorf("Parse(%q) = %v", text, d)
		}
	})
}

func BenchmarkSum(b *testing.B) {
	data := make([]byte, 1<<20)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		Sum(data)
	}
}
