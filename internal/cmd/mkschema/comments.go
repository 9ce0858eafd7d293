package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
)

// readComments returns the comments of the structs' fields in a package, by
// "Type.Field", and of its types, by "Type".
func readComments(dir string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	comments := make(map[string]string)
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range f.Decls {
			if types, ok := d.(*ast.GenDecl); ok && types.Tok == token.TYPE {
				addTypes(comments, types)
			}
		}
	}
	return comments, nil
}

func addTypes(comments map[string]string, types *ast.GenDecl) {
	for _, spec := range types.Specs {
		t := spec.(*ast.TypeSpec)
		comments[t.Name.Name] = plain(types.Doc.Text())
		s, ok := t.Type.(*ast.StructType)
		if !ok {
			continue
		}
		for _, field := range s.Fields.List {
			text := field.Doc.Text()
			if text == "" {
				text = field.Comment.Text()
			}
			for _, name := range field.Names {
				comments[t.Name.Name+"."+name.Name] = describe(name.Name, plain(text))
			}
		}
	}
}

// plain returns a comment as one line.
func plain(text string) string { return strings.Join(strings.Fields(text), " ") }

// describe drops a field's Go name from the head of its comment: the reader of
// a schema sees the document's key.
func describe(name, text string) string {
	for _, verb := range []string{" is ", " are ", " says ", " adds "} {
		if rest, ok := strings.CutPrefix(text, name+verb); ok {
			if verb == " says " || verb == " adds " {
				rest = strings.TrimSpace(verb) + " " + rest
			}
			return strings.ToUpper(rest[:1]) + rest[1:]
		}
	}
	return text
}
