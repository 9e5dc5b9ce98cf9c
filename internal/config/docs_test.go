package config_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/config"
)

// TestReference holds that docs/configuration.md has a row for each key, with
// its default, and for nothing else.
func TestReference(t *testing.T) {
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| `([^`]*)` \\| .+ \\|$").FindAllStringSubmatch(string(page), -1) {
		rows = append(rows, m[1]+" = "+m[2])
	}
	slices.Sort(rows)
	want := loadSchema(t).defaults(t, "")
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("docs/configuration.md (-keys +page):\n%s", diff)
	}
}

// defaults gives "key = default" for every key.
func (s *schema) defaults(t *testing.T, path string) []string {
	t.Helper()
	if one := s.element(t); one != nil {
		return one.defaults(t, path+".NAME")
	}
	if s.Type != "object" {
		return []string{strings.TrimPrefix(path, ".") + " = " + written(s.Default)}
	}
	var all []string
	for key, sub := range s.Properties {
		all = append(all, sub.defaults(t, path+"."+key)...)
	}
	slices.Sort(all)
	return all
}

// written gives a default as the page writes it.
func written(v any) string {
	if v == "" {
		return `""`
	}
	list, ok := v.([]any)
	if !ok {
		return fmt.Sprint(v)
	}
	items := make([]string, len(list))
	for i, item := range list {
		items[i] = fmt.Sprint(item)
	}
	return "[" + strings.Join(items, ", ") + "]"
}

func TestStarter(t *testing.T) {
	c := parse(t, string(config.Starter()))
	if c.Posts.Dir != "/etc/tidings/posts" || c.Mail.Transport != config.Capture || len(c.Newsletters) != 1 || c.MailingOff() != "" {
		t.Errorf("starter = %+v", c)
	}
	if starter := config.Starter(); len(starter) > 0 {
		starter[0] = 'x'
		if config.Starter()[0] == 'x' {
			t.Error("a caller can change the starter")
		}
	}
	// What is commented out works once it is not.
	enabled := regexp.MustCompile(`(?m)^( *)# ([a-z_]+: )`).ReplaceAllString(string(config.Starter()), "$1$2")
	dir := t.TempDir()
	write(t, dir+"/smtp-password", "x")
	enabled = strings.Replace(enabled, `username: ""`, "username: u", 1)
	if c, err := config.Load(write(t, dir+"/config.yaml", enabled), nil); err != nil || !c.Newsletters[0].Approve || c.Feeds.Dir == "" {
		t.Errorf("with all keys enabled: %v", err)
	}
}
