// Package schema holds the JSON Schema of policy documents, which editors use
// to complete and check them. It is generated from the types of package policy.
package schema

import _ "embed" // the schema is a file

//go:generate go run ../../internal/cmd/mkschema -policy .. -o zschema.json

// JSON is the schema, of draft 2020-12.
//
//go:embed zschema.json
var JSON string
