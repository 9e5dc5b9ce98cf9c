package post

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/codec"
)

// notKept are the fields that a kept post does without.
var notKept = map[string]bool{"Body": true, "Params": true}

// filled gives a post none of whose fields is zero.
func filled(t *testing.T, loc *time.Location) *Post {
	t.Helper()
	p := new(Post)
	v := reflect.ValueOf(p).Elem()
	for i := range v.NumField() {
		name, field := v.Type().Field(i).Name, v.Field(i)
		if notKept[name] {
			continue
		}
		fill(t, name, field, loc)
	}
	return p
}

func fill(t *testing.T, name string, field reflect.Value, loc *time.Location) {
	t.Helper()
	switch field.Interface().(type) {
	case string:
		field.SetString(name + " é\x00")
	case int, int64, time.Duration:
		field.SetInt(-1234567)
	case bool:
		field.SetBool(true)
	case Size, Enclosure:
		for i := range field.NumField() {
			fill(t, name+"."+field.Type().Field(i).Name, field.Field(i), loc)
		}
	case []string:
		field.Set(reflect.ValueOf([]string{name, "", "two"}))
	case time.Time:
		field.Set(reflect.ValueOf(time.Date(2026, 7, 1, 2, 3, 4, 5, loc)))
	case *bool:
		v := true
		field.Set(reflect.ValueOf(&v))
	default:
		t.Fatalf("Post.%s has a type that the codec does not know", name)
	}
}

func TestCodeKeepsEveryField(t *testing.T) {
	want, got := filled(t, time.UTC), new(Post)
	var e codec.Encoder
	want.Code(&e, time.UTC)
	d := codec.NewDecoder(e.Bytes)
	got.Code(d, time.UTC)
	if diff := cmp.Diff(want, got); diff != "" || d.Err() != nil {
		t.Errorf("%v (-want +got):\n%s", d.Err(), diff)
	}
}

func TestReadBodyGivesWhatParseGave(t *testing.T) {
	files, err := filepath.Glob("../../examples/posts/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	sources := map[string][]byte{
		"2024-01-02-bom.md":   []byte("\xef\xbb\xbf---\r\ntitle: A\r\n---\r\n\r\nOne\r\ntwo\x07 \v three\xff\r\n"),
		"2024-01-02-rule.md":  []byte("---\nno front matter\n---\nbut a rule\n"),
		"2024-01-02-hexo.md":  []byte("title: Hexo\n---\nThe body\n"),
		"2024-01-02-json.md":  []byte("{\"title\": \"J\"}\nThe body\n"),
		"2024-01-02-toml.md":  []byte("+++\ntitle = \"T\"\n+++\nThe body"),
		"2024-01-02-none.md":  []byte("Only text\n"),
		"2024-01-02-empty.md": []byte("---\ntitle: E\n---"),
	}
	for _, file := range files {
		if sources[filepath.Base(file)], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	for name, src := range sources {
		p, _, err := Parse(name, src, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if body, err := p.ReadBody(src); err != nil || body != p.Body {
			t.Errorf("%s: body %q and %v, want %q", name, body, err, p.Body)
		}
		if body, err := p.ReadBody(append(src, '.')); err == nil {
			t.Errorf("%s: other bytes gave the body %q", name, body)
		}
	}
}
