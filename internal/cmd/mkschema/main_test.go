package main

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSchemaIsFresh(t *testing.T) {
	want, err := generate("../../../policy")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../policy/schema/zschema.json")
	if diff := cmp.Diff(string(want), string(got)); err != nil || diff != "" {
		t.Errorf("zschema.json is stale (%v): run go generate ./policy/schema (-want +got):\n%s", err, diff)
	}
}
