package post_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/post"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

// outcome is everything Parse said about one file.
type outcome struct {
	Post     *post.Post     `json:"post,omitempty"`
	Problems []post.Problem `json:"problems,omitempty"`
	Error    string         `json:"error,omitempty"`
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// TestParseCases reads every file below testdata/parse as if that were the
// posts directory, and compares what Parse says with the .json beside it.
func TestParseCases(t *testing.T) {
	root := filepath.Join("testdata", "parse")
	opt := post.Options{Location: zone(t, "Europe/Berlin")}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) == ".json" {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		t.Run(filepath.ToSlash(rel), func(t *testing.T) {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			p, problems, err := post.Parse(filepath.ToSlash(rel), src, opt)
			compareJSON(t, path+".json", result(p, problems, err))
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func result(p *post.Post, problems []post.Problem, err error) outcome {
	o := outcome{Post: p, Problems: problems}
	if err != nil {
		o.Error = err.Error()
	}
	if p != nil {
		clone := *p
		clone.Hash, clone.BodyHash = "", "" // they say nothing to a reader of the cases
		o.Post = &clone
	}
	return o
}

func compareJSON(t *testing.T, golden string, got outcome) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(got); err != nil {
		t.Fatal(err)
	}
	compareFile(t, golden, b.Bytes())
}

func compareFile(t *testing.T, golden string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("%v (run the test with -update to make it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", golden, diff)
	}
}

// parse fails the test unless src is a post.
func parse(t testing.TB, file, src string) *post.Post {
	t.Helper()
	p, _, err := post.Parse(file, []byte(src), post.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParseRefusesBytesThatAreNoText(t *testing.T) {
	for name, c := range map[string]struct {
		src  string
		line int
		says string
	}{
		"NUL":    {"---\ntitle: x\n---\na\x00b", 4, "NUL bytes"},
		"UTF-16": {"\xff\xfe-\x00-\x00-\x00", 1, "UTF-16"},
		"Latin":  {"---\n\xe9\xe9\xe9\xe9", 2, "not UTF-8"},
		"image":  {"\x89PNG\r\n\x1a\n\xfe\xfe\xfe\xfe\xfe\xfe", 1, "not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := post.Parse("2024-01-01-x.md", []byte(c.src), post.Options{})
			var problem post.Problem
			if !errors.As(err, &problem) || problem.Line != c.line || !strings.Contains(problem.Message, c.says) {
				t.Errorf("Parse = %v, want line %d with %q", err, c.line, c.says)
			}
		})
	}
}

func TestParseMendsFewWrongBytes(t *testing.T) {
	src := "---\ntitle: caf\xe9\n---\n" + strings.Repeat("text\x0c\x1b ", 20)
	p, problems, err := post.Parse("2024-01-01-x.md", []byte(src), post.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Title != "caf\uFFFD" || strings.ContainsAny(p.Body, "\x0c\x1b") {
		t.Errorf("title %q, body %q", p.Title, p.Body)
	}
	if len(problems) != 1 || problems[0].Line != 2 || !problems[0].Warning {
		t.Errorf("problems = %v", problems)
	}
}

func TestParseRefusesHugeFiles(t *testing.T) {
	src := []byte("---\ntitle: x\n---\n0123456789")
	_, _, err := post.Parse("2024-01-01-x.md", src, post.Options{MaxBytes: len(src) - 1})
	if err == nil || !strings.Contains(err.Error(), "more than the") {
		t.Errorf("Parse = %v", err)
	}
	if _, _, err := post.Parse("2024-01-01-x.md", src, post.Options{MaxBytes: len(src)}); err != nil {
		t.Error(err)
	}
}

func TestHashes(t *testing.T) {
	a := parse(t, "2024-01-01-x.md", "---\ntitle: a\n---\nbody\n")
	b := parse(t, "2024-01-02-y.md", "---\r\ntitle: b\r\n---\r\nbody\r\n")
	if a.BodyHash != b.BodyHash || len(a.BodyHash) != 64 {
		t.Errorf("the same body has the hashes %q and %q", a.BodyHash, b.BodyHash)
	}
	if a.Hash == b.Hash || len(a.Hash) != 64 {
		t.Errorf("hashes %q and %q", a.Hash, b.Hash)
	}
}

func TestNotPosts(t *testing.T) {
	for file, src := range map[string]string{
		"notes.md":          "just text",
		"_index.md":         "---\ntitle: Section\ndate: 2024-01-01\n---\n",
		"blog/_index.fr.md": "+++\ntitle = \"Section\"\n+++\n",
		"README.md":         "---\ntitle: Read me\ndate: 2024-01-01\n---\n",
		"latest.md":         "+++\ntemplate = \"latest.html\"\n+++\n",
		"rule.md":           "---\n\nA text between two rules.\n\n---\n\nMore.\n",
		"key.md":            "Note: this is no front matter\n\ntext\n\n---\n",
		"2024-13-45-x.md":   "no such day in the name",
		"empty.md":          "",
		"brace.md":          "{ is a brace }",
		"liquid.md":         "{% include x %}",
	} {
		if _, _, err := post.Parse(file, []byte(src), post.Options{}); !errors.Is(err, post.ErrNotPost) {
			t.Errorf("Parse(%s) = %v, want ErrNotPost", file, err)
		}
	}
}

// TestProblemsNameTheirLine holds mistakes against the place and the words
// that are reported.
func TestProblemsNameTheirLine(t *testing.T) {
	for name, c := range map[string]struct {
		file, src string
		line      int
		says      string
	}{
		"tab":            {"x.md", "---\ntitle: x\ntags:\n\t- a\n---\n", 4, "TAB"},
		"blank lines":    {"x.md", "\n\n---\ntitle: x\ndate: [2024\n---\n", 5, "YAML"},
		"colon":          {"x.md", "---\ntitle: One: two\n---\n", 2, "in quotes"},
		"at sign":        {"x.md", "---\ndate: 2024-01-01\ntitle: @me\n---\n", 3, "in quotes"},
		"CRLF":           {"x.md", "---\r\ntitle: x\r\ndate: [\r\n---\r\n", 3, "YAML"},
		"TOML":           {"x.md", "+++\ntitle = \"x\"\ndate = 2024-13-01\n+++\n", 3, "TOML"},
		"TOML twice":     {"x.md", "+++\ntitle = \"x\"\ntitle = \"y\"\n+++\n", 3, "TOML"},
		"JSON":           {"x.md", "{\n\"title\": \"x\",\n\"date\": oops\n}\n", 3, "JSON"},
		"JSON no end":    {"x.md", "{\n\"title\": \"x\",\n", 1, "its end is missing"},
		"never closed":   {"x.md", "\n---\ntitle: x\ndate: 2024-01-01\n\ntext\n", 2, "never closed"},
		"program":        {"x.md", "---js\n{ title: 1 }\n---\n", 1, "is not run"},
		"bad date":       {"x.md", "---\ntitle: x\ndate: 05/07/2024\n---\n", 3, "no date that can be read"},
		"far year":       {"x.md", "---\ntitle: x\ndate: 12026-01-01\n---\n", 3, "12026"},
		"no date":        {"x.md", "---\ntitle: x\n---\ntext\n", 0, "no date"},
		"expiry":         {"x.md", "---\ndate: 2024-01-01\nexpiryDate: soon\n---\ntext\n", 3, "expiryDate"},
		"JSON date":      {"x.md", "{\n\"title\": \"x\",\n\"date\": \"soon\"\n}\n", 3, "no date that can be read"},
		"TOML date":      {"x.md", "+++\ntitle = \"x\"\n\ndate = \"soon\"\n+++\n", 4, "no date that can be read"},
		"unknown anchor": {"x.md", "---\ntitle: *nothing\n---\n", 2, "YAML"},
		"nested":         {"x.md", "---\ntitle: " + strings.Repeat("[", 200) + "\n---\n", 2, "levels deep"},
		"huge":           {"x.md", "---\ntitle: " + strings.Repeat("x", 300<<10) + "\n---\n", 2, "is its end missing"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := post.Parse(c.file, []byte(c.src), post.Options{})
			var problem post.Problem
			if !errors.As(err, &problem) {
				t.Fatalf("Parse = %v, want a Problem", err)
			}
			if problem.Line != c.line || problem.File != c.file || problem.Warning || !strings.Contains(problem.Message, c.says) {
				t.Errorf("%v, want line %d with %q", problem, c.line, c.says)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	for name, c := range map[string]struct {
		file, src string
		line      int
		says      string
	}{
		"date, but a dated name": {"2024-05-07-x.md", "---\ndate: 2023-01-29 18:30:22 2023 -0800\n---\n", 2, "2024-05-07 is taken instead"},
		"twice":                  {"2024-05-07-x.md", "---\ntitle: a\nTitle: b\n---\n", 3, "this one counts"},
		"JSON twice":             {"2024-05-07-x.md", "{\"title\": \"a\",\n\"title\": \"b\"}\n", 2, "this one counts"},
		"lastmod":                {"2024-05-07-x.md", "---\nlastmod: tomorrow\n---\n", 2, "left out"},
		"template permalink":     {"2024-05-07-x.md", "---\npermalink: \"/{{ page.fileSlug }}/\"\n---\n", 2, "not run"},
		"unknown placeholder":    {"2024-05-07-x.md", "---\npermalink: /:section/:title/\n---\n", 2, ":section"},
		"foreign scheme":         {"2024-05-07-x.md", "---\nurl: \"javascript:alert(1)\"\n---\n", 2, "https://"},
		"dots in path":           {"2024-05-07-x.md", "---\nurl: /../x/\n---\n", 2, "dot elements"},
		"language":               {"2024-05-07-x.md", "---\nlang: klingonese\n---\n", 2, "language tag"},
		"draft":                  {"2024-05-07-x.md", "---\ndraft: maybe\n---\n", 2, "hidden to be safe"},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems, err := post.Parse(c.file, []byte(c.src), post.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(problems) != 1 {
				t.Fatalf("problems = %v, want one", problems)
			}
			if p := problems[0]; p.Line != c.line || !p.Warning || !strings.Contains(p.Message, c.says) {
				t.Errorf("%v, want a warning on line %d with %q", p, c.line, c.says)
			}
		})
	}
}

func TestYAMLAliases(t *testing.T) {
	p := parse(t, "2024-01-01-x.md", "---\nbase: &b {tags: [x, y]}\n<<: *b\ntitle: a\n---\n")
	if got := strings.Join(p.Tags, " "); got != "x y" {
		t.Errorf("tags = %q", got)
	}
	var bomb strings.Builder
	bomb.WriteString("---\na0: &a0 [x, x]\n")
	for _, n := range []string{"1", "2", "3", "4", "5", "6", "7", "8"} {
		last := string(n[0] - 1)
		bomb.WriteString("a" + n + ": &a" + n + " [" + strings.TrimSuffix(strings.Repeat("*a"+last+", ", 10), ", ") + "]\n")
	}
	_, _, err := post.Parse("x.md", []byte(bomb.String()+"---\n"), post.Options{})
	if err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("Parse = %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, file := range []string{"2024-05-07-x.md", "x.md", "a/_posts/2024-5-7-x.fr.html", "x.mdx", "2024-05-07-x/index.md"} {
		for _, src := range []string{
			"---\ntitle: \"a: b\"\ndate: 2024-01-02 9:05:00 -4\ntags: [a, [b]]\n---\ntext\n",
			"+++\ntitle = 'x'\ndate = 2024-05-07T10:00:00Z\n[taxonomies]\ntags = ['a']\n+++\ntext <!-- more --> rest",
			"{\"title\": \"x\", \"tags\": [\"a\"], \"date\": \"May 7, 2024\"}\ntext",
			"title: x\ndate: 2013/7/13 20:46:25\n---\ntext",
			"\"title\": \"x\",\n\"date\": \"2024-01-01\"\n;;;\ntext",
			"\xef\xbb\xbf\n\n---json\n{}\n---\n# h\n\n![](x)\n\npara [^1]\n\n[^1]: x\n",
			"---\na: &a [*b]\n<<: *a\n? x\n---\n",
			"---\npermalink: /:year/:title/\nimage: {url: \"{{ x }}\"}\nauthors: [{name: x}]\n---\n{% raw %}{{ x }}{% endraw %}",
		} {
			f.Add(file, []byte(src))
		}
	}
	f.Fuzz(func(t *testing.T, file string, src []byte) {
		p, problems, err := post.Parse(file, src, post.Options{MaxBytes: 1 << 20})
		lines := bytes.Count(src, []byte("\n")) + bytes.Count(src, []byte("\r")) + 1
		var problem post.Problem
		if errors.As(err, &problem) {
			problems = append(problems, problem)
		} else if err != nil && !errors.Is(err, post.ErrNotPost) {
			t.Fatalf("error of a strange kind: %v", err)
		}
		for _, q := range problems {
			if q.File != file || q.Line < 0 || q.Line > lines {
				t.Errorf("problem %v in a file of %d lines", q, lines)
			}
		}
		if err == nil {
			checkPost(t, p)
		}
	})
}

// checkPost holds what is promised of every post.
func checkPost(t *testing.T, p *post.Post) {
	t.Helper()
	if p.Slug == "" || strings.ContainsAny(p.Slug, "/\\. \x00") {
		t.Errorf("slug %q", p.Slug)
	}
	if p.Link != "" && !strings.HasPrefix(p.Link, "/") && !strings.HasPrefix(p.Link, "http") {
		t.Errorf("link %q", p.Link)
	}
	if p.Published.IsZero() && p.Hidden == "" {
		t.Error("a visible post without a date")
	}
	if n := len([]rune(p.Summary)); n > 160 {
		t.Errorf("summary of %d characters", n)
	}
	texts := append([]string{p.Title, p.Summary, p.GUID, p.Image, p.Language}, p.Categories...)
	texts = append(append(texts, p.Tags...), p.Authors...)
	for _, text := range texts {
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) {
			t.Errorf("control character in %q", text)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	src := []byte("---\ntitle: \"Post 12: A title\"\ndate: 2026-05-07T10:00:00Z\ncategories: [one]\ntags: [a, b, c]\n---\n\n" + sampleBody)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := post.Parse("post.md", src, post.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
