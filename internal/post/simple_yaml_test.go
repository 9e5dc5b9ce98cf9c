package post

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// simple are blocks that the short way must read, not leave to the parser.
var simple = []string{
	"title: A post\ndate: 2026-06-01T12:00:00Z\ncategories: [one]\ntags: [a, tag-001, Open Science]\nsummary: \"Some text...\"\n",
	"title: 'quoted: yes'\ndate: 2026-06-01\ntags:\n  - one\n  - two words\n  - \"three\"\nlayout: post\n",
	"layout: post\n\ntitle:  Blanks   \ntags:\n- a\n- b\ndate: 2015-03-17 14:00:00 -0400\n",
	"title: It's \"Q&A\" time, isn't it? 100% * yes!\nimage: https://example.org/a.png\ndraft: false\npublished: true\n",
	"date: 2015-03-17 14:00:00\nauthor: Jane Doe\ndescription: \"With: colon, comma # and [brackets] é\"\n",
}

// odd are blocks that look plain and are not, or not quite.
var odd = []string{
	"", "\n", "title:\n", "title: \n", "title: a: b\n", "title: a # b\n", "title: 12\n", "title: 1.10\n", "title: yes\n", "draft: false\n",
	"x: null\n", "x: ~\n", "title: a\n  continued\n", "title: |\n  text\n", "x: [a, [b]]\n", "x: [a, 1]\n", "x: []\n", "x: [a,]\n", "x: {a: b}\n",
	"x: \"a\" b\n", "x: 'a''b'\n", "x: \"a\\tb\"\n", "x: \"a\n", "a b: c\n", "true: x\n", "x:y\n", "- a\n", "x: &a b\n", "x: *a\n", "x: !!str 1\n",
	"x: 2026-13-45\n", "x: 2026-06-01T12:00\n", "x: 20260601\n", "x: 1e5\n", "x: 0x1F\n", "x: Yes\n", "x: y\n", "x: n\n", "x: Inf\n",
	"x:\n  - a\n - b\n", "x:\n  - a\n\n  - b\n", "x:\n  - a: b\n", "x:\n  -\n", "x:\n  - a\n    b\n", "x:\n  a: b\n", "x: a\nx: b\n", "x: [a\n", "x: a]\n",
	"x: 'a, b'\ny: [ 'a, b' ]\n", "x: [\"a\", 'b' ]\n", "# comment\nx: a\n", "x: a\t\n", "x: a ? b\n", "x: - a\n", "x: a - b\n", "x: a, b\n", "x: \"\"\ny: ''\n",
	"x: [\"a: b\"]\n", "x: a:b\n", "x:  a\n", "x: é\n", "x: aé\n", "x: a\u2028b\n", "x: [a b, c  d]\n", "x: \" a \"\n", "<<: a\n", "x: a%\n", "---\n", "x: a\n...\ny: b\n", "x:\n- a\n-b\n",
	"x: [null]\n", "x: [ ]\n", "x: [a b ,c]\n", "x: 2026-06-01 12:00:00 Z\n", "x: 2026-06-01T12:00:00.123+02:00\n", "x: a\x00b\n", "x: a\\b\n", "title: a\n\n\n", "x: [a, b] \n",
	"infinity: x\n", "x: .inf\n", "x: False positive\n", "x: nullable\n", "x: on the way\n",
}

func readBoth(t *testing.T, text string) (short, long *node, err error) {
	t.Helper()
	b := &block{format: "yaml", text: text, line: 2, sure: true}
	r := &reader{file: "a.md", opt: Options{Location: time.UTC}}
	long, err = r.parseAnyYAML(b)
	return parseSimpleYAML(b, new(nodeRoom)), long, err
}

// same holds the short way against the parser, wherever it gives anything.
func same(t *testing.T, text string) (given bool) {
	t.Helper()
	short, long, err := readBoth(t, text)
	if short == nil {
		return false
	}
	if err != nil {
		t.Errorf("%q: the parser says %v, the short way reads it", text, err)
		return true
	}
	if diff := cmp.Diff(long, short, cmp.AllowUnexported(node{}, entry{})); diff != "" {
		t.Errorf("%q (-parser +short way):\n%s", text, diff)
	}
	return true
}

func TestSimpleYAMLIsWhatTheParserGives(t *testing.T) {
	for _, text := range simple {
		if !same(t, text) {
			t.Errorf("left to the parser: %q", text)
		}
	}
	for _, text := range odd {
		same(t, text)
	}
	files, err := filepath.Glob("../../examples/posts/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r := &reader{file: file}
		b, err := r.split(string(src))
		if err != nil || b == nil || !same(t, b.text) {
			t.Errorf("%s: left to the parser, %v", file, err)
		}
	}
}

func FuzzSimpleYAML(f *testing.F) {
	for _, text := range append(simple, odd...) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := &reader{opt: Options{MaxBytes: MaxBytes}}
		decoded, err := r.decode([]byte(text))
		if err == nil {
			same(t, decoded)
		}
	})
}
