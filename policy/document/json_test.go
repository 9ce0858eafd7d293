package document_test

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/callgate/callgate/policy/document"
	"github.com/google/go-cmp/cmp"
)

// TestJSONIsTheDocument reads what JSON wrote as the YAML that JSON is, too.
func TestJSONIsTheDocument(t *testing.T) {
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no documents in testdata/good (%v)", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := document.Parse(file, text)
		if err != nil {
			t.Fatal(err)
		}
		asJSON, err := document.JSON(p)
		if err != nil || !json.Valid(asJSON) {
			t.Fatalf("JSON of %s = %v\n%s", file, err, asJSON)
		}
		back, err := document.Parse(file, asJSON)
		if err != nil {
			t.Fatalf("Parse of the JSON of %s = %v\n%s", file, err, asJSON)
		}
		if diff := cmp.Diff(p, back, sameButPlace, cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{})); diff != "" {
			t.Errorf("%s, through JSON (-want +got):\n%s", file, diff)
		}
	}
}
