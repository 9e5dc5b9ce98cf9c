package config_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/config"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with the file beside a case.
func golden(t *testing.T, caseFile, got string) {
	t.Helper()
	file := strings.TrimSuffix(caseFile, ".yaml") + ".err"
	if *update {
		write(t, file, got)
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func eachCase(t *testing.T, pattern string, check func(t *testing.T, file string, src []byte)) {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			check(t, file, src)
		})
	}
}

func TestFaults(t *testing.T) {
	env := environment("EMPTY", "", "WORD", "word", "LINES", "hush\nhush")
	eachCase(t, "testdata/faults/*.yaml", func(t *testing.T, file string, src []byte) {
		c, err := config.Parse("config.yaml", src, env)
		if c != nil || err == nil {
			t.Fatalf("Parse gave %v, %v", c, err)
		}
		var faults config.Faults
		if !errors.As(err, &faults) {
			t.Fatalf("Parse gave a %T", err)
		}
		for _, f := range faults {
			if f.Line < 1 || f.Column < 1 || f.Message == "" {
				t.Errorf("incomplete fault %+v", f)
			}
		}
		if strings.Contains(err.Error(), "hush") {
			t.Error("a fault tells a secret")
		}
		golden(t, file, err.Error()+"\n")
	})
}

func TestWarnings(t *testing.T) {
	eachCase(t, "testdata/warnings/*.yaml", func(t *testing.T, file string, src []byte) {
		c, err := config.Parse("config.yaml", src, nil)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, file, c.Warnings().Error())
	})
}
