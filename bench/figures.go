package main

import (
	"fmt"
	"os"
	"strings"
)

// The lines that figures stand between in a document.
const (
	figuresBegin = "<!-- figures: make bench-peers DOC=1 -->\n"
	figuresEnd   = "<!-- end of figures -->\n"
)

// putFigures puts what was printed into the document at path, in the place of
// what stood between the two lines.
func putFigures(path, figures string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, err := replaceFigures(string(content), figures)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

func replaceFigures(document, figures string) (string, error) {
	before, rest, ok := strings.Cut(document, figuresBegin)
	_, after, ok2 := strings.Cut(rest, figuresEnd)
	if !ok || !ok2 {
		return "", fmt.Errorf("no place for figures: it has no lines %q and %q", strings.TrimSpace(figuresBegin), strings.TrimSpace(figuresEnd))
	}
	return before + figuresBegin + "\n" + strings.TrimSpace(figures) + "\n\n" + figuresEnd + after, nil
}
