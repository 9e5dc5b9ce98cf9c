package templates_test

import (
	"io/fs"
	"testing"

	"tidings/templates"
)

func TestFilesAreDescribed(t *testing.T) {
	for _, f := range templates.Files() {
		if f.About == "" {
			t.Errorf("%s: say in files.go what it is", f.Name)
		}
		if _, err := fs.Stat(templates.Builtin(), f.Name); err != nil {
			t.Error(err)
		}
	}
}
