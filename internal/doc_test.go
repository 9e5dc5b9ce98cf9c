package internal

import (
	"bufio"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// allowed reads the table of doc.go: package → what it may import.
func allowed(t *testing.T) map[string][]string {
	t.Helper()
	f, err := os.Open("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, inTable := map[string][]string{}, false
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		inTable = inTable || strings.Contains(line, "What each package may import")
		rest, ok := strings.CutPrefix(line, "//\t")
		if !inTable || !ok {
			continue
		}
		columns := strings.Split(rest, "  ")
		imports := strings.Fields(columns[len(columns)-1])
		if at := strings.LastIndex(rest, "—"); at >= 0 {
			imports = nil
		}
		table[strings.Fields(rest)[0]] = imports
	}
	return table
}

// imports gives what each package's own files, tests aside, import.
func imports(t *testing.T) map[string]map[string]bool {
	t.Helper()
	found := map[string]map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || filepath.Dir(path) == "." {
			return err
		}
		from, _, _ := strings.Cut(filepath.ToSlash(path), "/")
		if found[from] == nil {
			found[from] = map[string]bool{}
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range file.Imports {
			name, _ := strconv.Unquote(i.Path.Value)
			if own, ok := strings.CutPrefix(name, "tidings/internal/"); ok {
				to, _, _ := strings.Cut(own, "/")
				if to != from {
					found[from][to] = true
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestImportsAreThoseOfTheTable(t *testing.T) {
	table, found := allowed(t), imports(t)
	if want, got := slices.Sorted(maps.Keys(found)), slices.Sorted(maps.Keys(table)); !slices.Equal(got, want) {
		t.Fatalf("the table lists %v, there are %v", got, want)
	}
	for from, tos := range found {
		for to := range tos {
			if !slices.Contains(table[from], to) {
				t.Errorf("%s imports %s, which the table does not allow", from, to)
			}
		}
		for _, to := range table[from] {
			if !tos[to] {
				t.Errorf("the table lets %s import %s, which it does not", from, to)
			}
		}
	}
}

func TestTemplatesStandAlone(t *testing.T) {
	files, err := filepath.Glob("../templates/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no templates package: %v", err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range file.Imports {
			if strings.Contains(i.Path.Value, "tidings/") {
				t.Errorf("%s imports %s", name, i.Path.Value)
			}
		}
	}
}
