package locale_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"text/template/parse"

	"tidings/templates"
)

// Every message is asked for somewhere, and what Go code asks for by name is
// there. Templates are checked when they are loaded.
func TestMessagesAreUsed(t *testing.T) {
	c := shipped(t)
	used := map[string]bool{}
	known := map[string]bool{}
	for _, id := range c.IDs() {
		known[id] = true
	}
	inTemplates(t, used)
	inGo(t, func(where, literal string, asked bool) {
		if asked && !known[literal] {
			t.Errorf("%s: there is no message %q", where, literal)
		}
		used[literal] = true
	})
	for _, id := range c.IDs() {
		if !used[id] {
			t.Errorf("message %q is not used", id)
		}
	}
}

// inTemplates notes every string in the shipped templates.
func inTemplates(t *testing.T, used map[string]bool) {
	err := fs.WalkDir(templates.Builtin(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasPrefix(name, "web/") && !strings.HasPrefix(name, "email/") {
			return err
		}
		text, err := fs.ReadFile(templates.Builtin(), name)
		if err != nil {
			return err
		}
		tree := parse.New(name)
		tree.Mode = parse.SkipFuncCheck
		trees := map[string]*parse.Tree{}
		if _, err := tree.Parse(string(text), "", "", trees); err != nil {
			return err
		}
		for _, one := range trees {
			for _, quoted := range strings.Split(one.Root.String(), `"`) {
				used[quoted] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// inGo reports every string literal of the program, and whether it is a
// message asked for by T or Count.
func inGo(t *testing.T, found func(where, literal string, asked bool)) {
	files := token.NewFileSet()
	for _, root := range []string{"..", "../../cmd"} {
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			asked := map[ast.Node]bool{}
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && len(call.Args) > 0 {
					if f, ok := call.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "T" || f.Sel.Name == "Count") {
						asked[call.Args[0]] = true
					}
				}
				if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					if text, err := strconv.Unquote(literal.Value); err == nil {
						found(files.Position(n.Pos()).String(), text, asked[n])
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
