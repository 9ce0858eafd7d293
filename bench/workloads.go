package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// workloads returns the programs; they keep their caches below dir.
func workloads(dir string) []workload {
	goCache := filepath.Join(dir, "go-cache")
	return []workload{
		{
			name: "git clone", preset: "default", prepare: prepareGit, reset: removes("copy"),
			argv: found("git", "clone", "--quiet", "repository", "copy"),
		},
		{
			name: "python3 -c import", preset: "default", prepare: nothing, reset: removes(),
			argv: pythonArguments,
		},
		{
			name: "make -j2 of 20 C files", preset: "default", prepare: prepareC, reset: removes("program", "object"),
			argv: found("make", "--silent", "-j2"),
		},
		{
			name: "npm install", preset: "default", prepare: prepareNPM, reset: removes("node_modules", "package-lock.json"),
			argv: found("npm", "install", "--offline", "--no-audit", "--no-fund", "--no-update-notifier", "--silent", "--cache=cache"),
		},
		{
			name: "go build", preset: "build", rw: goCache, prepare: prepareGo, reset: resetGo,
			env:  []string{"GOCACHE=" + goCache, "GOPROXY=off", "GOTOOLCHAIN=local", "GOFLAGS=", "CGO_ENABLED=0"},
			argv: found("go", "build", "-o", "program", "."),
		},
	}
}

func nothing(string) error { return nil }

// writeFiles writes files below dir, by their slashed names.
func writeFiles(dir string, files map[string]string) error {
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// prepareGit makes a repository of about 4,000 objects, 1,500 of them files
// that a clone checks out.
func prepareGit(dir string) error {
	var b strings.Builder
	for commit := range 750 {
		fmt.Fprintf(&b, "commit refs/heads/main\ncommitter A <a@example.org> %d +0000\ndata 2\nx\n", 1700000000+commit)
		for file := range 2 {
			content := strings.Repeat(fmt.Sprintf("line of file %d of commit %d\n", file, commit), 60)
			fmt.Fprintf(&b, "M 100644 inline part%d/file%d-%d\ndata %d\n%s\n", commit%30, commit, file, len(content), content)
		}
	}
	repository := filepath.Join(dir, "repository")
	if out, err := exec.Command("git", "init", "--quiet", "--initial-branch=main", repository).CombinedOutput(); err != nil {
		return fmt.Errorf("git init: %w\n%s", err, out)
	}
	load := exec.Command("git", "-C", repository, "fast-import", "--quiet")
	load.Stdin = strings.NewReader(b.String())
	if out, err := load.CombinedOutput(); err != nil {
		return fmt.Errorf("git fast-import: %w\n%s", err, out)
	}
	return nil
}

// pythonArguments prefer the system's python: a version manager's shim would
// be measured instead.
func pythonArguments(string) ([]string, error) {
	const system, imports = "/usr/bin/python3", "import ssl, json, sqlite3, asyncio, http.client"
	if _, err := os.Stat(system); err == nil {
		return []string{system, "-c", imports}, nil
	}
	return found("python3", "-c", imports)("")
}

func prepareC(dir string) error {
	files := map[string]string{
		"Makefile": "program: $(patsubst source/%.c,object/%.o,$(wildcard source/*.c))\n\tcc -o $@ $^\n" +
			"object/%.o: source/%.c\n\t@mkdir -p object\n\tcc -O2 -c -o $@ $<\n",
		"source/main.c": "int main(void) { return 0; }\n",
	}
	for i := range 20 {
		var b strings.Builder
		b.WriteString("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\n")
		for j := range 30 {
			fmt.Fprintf(&b, "int f%d_%d(int n, char *s) { for (int i = 0; i < n; i++) s[i] = (char)(i * %d ^ n); return (int)strlen(s) + printf(\"%%s\", s); }\n", i, j, j+1)
		}
		files[fmt.Sprintf("source/part%d.c", i)] = b.String()
	}
	return writeFiles(dir, files)
}

// prepareNPM makes a package that depends on folders beside it, so that the
// install needs no registry.
func prepareNPM(dir string) error {
	files := map[string]string{}
	var dependencies []string
	for i := range 20 {
		name := fmt.Sprint("part", i)
		dependencies = append(dependencies, fmt.Sprintf("%q: \"file:parts/%s\"", name, name))
		files["parts/"+name+"/package.json"] = fmt.Sprintf("{\"name\": %q, \"version\": \"1.0.0\"}\n", name)
		files["parts/"+name+"/index.js"] = "module.exports = 1\n"
	}
	files["package.json"] = fmt.Sprintf("{\"name\": \"whole\", \"version\": \"1.0.0\", \"dependencies\": {%s}}\n", strings.Join(dependencies, ", "))
	return writeFiles(dir, files)
}

// prepareGo makes a module of ten packages. The round that is thrown away
// compiles the standard library.
func prepareGo(dir string) error {
	files := map[string]string{"go.mod": "module example.org/small\n\ngo 1.26\n"}
	var imports, calls strings.Builder
	for i := range 10 {
		files[fmt.Sprintf("part%d/part.go", i)] = fmt.Sprintf("package part%d\n\nimport \"fmt\"\n\nfunc Text(n int) string { return fmt.Sprint(n, Stamp) }\n", i)
		fmt.Fprintf(&imports, "import \"example.org/small/part%d\"\n", i)
		fmt.Fprintf(&calls, "\tprintln(part%d.Text(%d))\n", i, i)
	}
	files["main.go"] = "package main\n\n" + imports.String() + "\nfunc main() {\n" + calls.String() + "}\n"
	return writeFiles(dir, files)
}

// stamps makes every build of the Go module different from the last.
var stamps int

func resetGo(dir string, _ int) error {
	stamps++
	files := map[string]string{}
	for i := range 10 {
		files[fmt.Sprintf("part%d/stamp.go", i)] = fmt.Sprintf("package part%d\n\nconst Stamp = %d\n", i, stamps)
	}
	return writeFiles(dir, files)
}
