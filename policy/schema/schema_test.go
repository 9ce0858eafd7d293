package schema_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/callgate/callgate/policy/schema"
	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(schema.JSON))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("policy.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("policy.json")
	if err != nil {
		t.Fatalf("the schema is no schema: %v", err)
	}
	return s
}

// validate checks a document as an editor does: as the JSON that its YAML is.
func validate(t *testing.T, s *jsonschema.Schema, text []byte) error {
	t.Helper()
	var value any
	if err := yaml.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(asJSON)))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

func TestSchemaTakesEveryGoodDocument(t *testing.T) {
	s := compile(t)
	for _, pattern := range []string{"../presets/*.yaml", "../document/testdata/good/*.yaml", "../oci/testdata/*.yaml", "../../examples/*/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no documents match %s (%v)", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := validate(t, s, text); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

func TestSchemaRefusesBadDocuments(t *testing.T) {
	s := compile(t)
	for _, text := range []string{
		"extend: [default]",
		"extends: default",
		"extends: [defualt]",
		"baseline: new",
		"syscalls: {rules: [{then: alow, calls: [read]}]}",
		"syscalls: {rules: [{then: allow, calls: [raed]}]}",
		"syscalls: {rules: [{then: allow, calls: []}]}",
		"syscalls: {rules: [{calls: [read]}]}",
		"syscalls: {rules: [{then: allow, calls: ['@nothing']}]}",
		"syscalls: {rules: [{then: allow, calls: [read], when: [{equals: 1}]}]}",
		"syscalls: {rules: [{then: allow, calls: [read], if: {capabilities: [CAP_ALL]}}]}",
		"files: {ro: [etc]}",
		"files: {tmp: shared}",
		"network: {families: [inet5]}",
		"limits: {memory: 1 GB}",
		"limits: {rlimits: {files: 3}}",
		"limits: {timeout: 60}",
		"walls: {optional: [moat]}",
		"tests: [{call: read}]",
	} {
		var invalid *jsonschema.ValidationError
		if err := validate(t, s, []byte(text)); !errors.As(err, &invalid) {
			t.Errorf("Validate(%s) = %v; want a *ValidationError", text, err)
		}
	}
}
