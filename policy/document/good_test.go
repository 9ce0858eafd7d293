package document_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/callgate/callgate/policy"
	"github.com/callgate/callgate/policy/document"
	"github.com/google/go-cmp/cmp"
)

// TestGoodDocumentsComeBack holds that the good documents are read, and that
// together they have every key there is.
func TestGoodDocumentsComeBack(t *testing.T) {
	names, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no documents in testdata/good (%v)", err)
	}
	seen := make(map[string]bool)
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := document.Parse(name, text)
		if err != nil {
			t.Fatal(err)
		}
		comesBack(t, p)
		mark(seen, reflect.ValueOf(p).Elem())
	}
	for _, key := range slices.Compact(slices.Sorted(slices.Values(allKeys(reflect.TypeFor[policy.Policy]())))) {
		if !seen[key] {
			t.Errorf("no document in testdata/good has %s", key)
		}
	}
}

// mark notes the fields of a value that are set, as "Policy.name".
func mark(seen map[string]bool, v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			mark(seen, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !v.Field(i).IsZero() {
				seen[v.Type().Name()+"."+f.Tag.Get("yaml")] = true
			}
			mark(seen, v.Field(i))
		}
	}
}

// allKeys returns every key of a type and of those in it, as mark notes them.
func allKeys(t reflect.Type) []string {
	switch t.Kind() {
	case reflect.Slice:
		return allKeys(t.Elem())
	case reflect.Struct:
		var keys []string
		for i := range t.NumField() {
			f := t.Field(i)
			if key := f.Tag.Get("yaml"); key != "" && key != "-" {
				keys = append(keys, t.Name()+"."+key)
			}
			keys = append(keys, allKeys(f.Type)...)
		}
		return keys
	}
	return nil
}

// TestOddSpellings holds what YAML's own reading of a scalar would change.
func TestOddSpellings(t *testing.T) {
	p, err := document.Parse("odd.yaml", []byte(strings.Join([]string{
		`baseline: 6.10`,
		`files: {ro: [~, -~/x, ., "-/with, comma"]}`,
		`environment: {set: {A: no, B: 0x1F, C: 1_000, D: ~, E: "null", F: "", G: true, 7: seven}}`,
	}, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	if p.Baseline.String() != "6.10" {
		t.Errorf("baseline = %s; want 6.10", p.Baseline)
	}
	var got []string
	for _, path := range p.Files.ReadOnly {
		text, _ := path.MarshalText()
		got = append(got, string(text))
	}
	for _, v := range p.Environment.Set {
		got = append(got, v.Name+"="+v.Value)
	}
	want := []string{"~", "-~/x", ".", "-/with, comma", "A=no", "B=0x1F", "C=1_000", "D=~", "E=null", "F=", "G=true", "7=seven"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
}
