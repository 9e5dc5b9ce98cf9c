package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tidings/internal/config"
)

// FuzzParse holds that Parse never panics, that what it refuses has complete
// faults, and that what it accepts is shown in a form it accepts again.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, shipped, "starter.yaml") {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(src))
	}
	f.Add(rich)
	f.Add("a: &a {<<: *a}\n")
	env := environment("A", "a", "N", "1", "E", "")
	f.Fuzz(func(t *testing.T, src string) {
		c, err := config.Parse("config.yaml", []byte(src), env)
		if err != nil {
			checkFaults(t, err)
			return
		}
		for _, n := range c.Newsletters {
			if n.Name == "" || n.Title == "" || n.From == "" || n.InDoubt == "" || n.MaxPostAge <= 0 || n.Location().String() != n.Timezone {
				t.Errorf("incomplete newsletter %+v", n)
			}
		}
		c.Warnings()
		text := show(t, c)
		if strings.Contains(text, "${") || c.Mail.SMTP.PasswordFile != "" || c.Database.URLFile != "" {
			return // a literal ${ would be expanded again, a file's secret be given twice
		}
		again, err := config.Parse("config.yaml", []byte(text), env)
		if err != nil {
			t.Fatalf("shown as what is not accepted:\n%v\n%s", err, text)
		}
		if s := show(t, again); s != text {
			t.Fatalf("shown as\n%s\nand then as\n%s", text, s)
		}
	})
}

func checkFaults(t *testing.T, err error) {
	var faults config.Faults
	if !errors.As(err, &faults) || len(faults) == 0 {
		t.Fatalf("not faults: %v", err)
	}
	for _, fault := range faults {
		if fault.File != "config.yaml" || fault.Line < 1 || fault.Column < 1 || fault.Message == "" || fault.Warning {
			t.Errorf("incomplete fault %+v", fault)
		}
	}
}

// TestParseIsBounded holds that a small file cannot keep the reader busy.
func TestParseIsBounded(t *testing.T) {
	var merges strings.Builder
	merges.WriteString("newsletters:\n  a0: &a0 {subject: x}\n")
	for i := 1; i < 30; i++ {
		fmt.Fprintf(&merges, "  a%d: &a%d {<<: [*a%d, *a%[3]d, *a%[3]d, *a%[3]d]}\n", i, i, i-1)
	}
	var aliases strings.Builder
	fmt.Fprintf(&aliases, "newsletters:\n  a: &a {tags: &t [%s]}\n", strings.Repeat("x,", 1_000))
	for i := range 1_000 {
		fmt.Fprintf(&aliases, "  a%d: *a\n", i)
	}
	for name, src := range map[string]string{"merges": merges.String(), "aliases": aliases.String()} {
		faults := faultsOf(t, src)
		if len(faults) != 1 || !strings.Contains(faults.Error(), "too many values") {
			t.Errorf("%s: got %d faults:\n%.1000v", name, len(faults), faults)
		}
	}
	if faults := faultsOf(t, "# "+strings.Repeat("x", 300<<10)); len(faults) != 1 || faults[0].Line != 1 {
		t.Errorf("got:\n%v", faults)
	}
}
