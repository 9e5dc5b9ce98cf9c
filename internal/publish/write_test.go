package publish_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"tidings/internal/publish"
)

// writeTo makes dir hold one set.
func writeTo(t testing.TB, dir string, set *publish.Set, codings []string) (publish.WriteReport, error) {
	t.Helper()
	w, err := publish.NewWriter(dir, codings)
	if err != nil {
		return publish.WriteReport{}, err
	}
	return w.Write(t.Context(), set)
}

func write(t *testing.T, dir string, set *publish.Set, codings ...string) publish.WriteReport {
	t.Helper()
	report, err := writeTo(t, dir, set, codings)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// files gives the contents of all files below dir but the manifest and what
// is for web servers.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || d.Name() == ".tidings-manifest.json" {
			return err
		}
		if filepath.Base(filepath.Dir(path)) == ".tidings" || d.Name() == "_headers" || d.Name() == "_redirects" {
			return nil
		}
		name, _ := filepath.Rel(dir, path)
		b, err := os.ReadFile(path)
		out[filepath.ToSlash(name)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// contents are the files that a set makes.
func contents(set *publish.Set) map[string]string {
	out := set.Copies()
	for _, d := range set.Documents() {
		out[strings.TrimPrefix(d.Path, "/")] = string(d.Bytes())
	}
	return out
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "yet", "there")
	set := update(t, newPublisher(config(), nil, nil), some()...).Set
	n := len(set.Documents())
	if got := write(t, dir, set); got != (publish.WriteReport{Files: n, Written: n}) {
		t.Errorf("first time: %+v", got)
	}
	if diff := cmp.Diff(contents(set), files(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestWriteLeavesUnchangedFilesAlone(t *testing.T) {
	dir, posts := t.TempDir(), some()
	p := newPublisher(config(), nil, nil)
	write(t, dir, update(t, p, posts...).Set, "gzip")
	old := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for name := range files(t, dir) {
		if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	n := len(p.Current().Documents())
	if got := write(t, dir, p.Current(), "gzip"); got != (publish.WriteReport{Files: n, Unchanged: n}) {
		t.Errorf("second time: %+v", got)
	}
	posts[2] = edited(posts[2], "Another life")
	r := update(t, p, posts...)
	if got := write(t, dir, r.Set, "gzip"); got.Written != len(r.Changed) || got.Unchanged != n-len(r.Changed) {
		t.Errorf("after an edit that changed %d: %+v", len(r.Changed), got)
	}
	for name := range files(t, dir) {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if d := r.Set.Lookup("/" + name); d != nil {
			name = d.Path
		}
		touched := slices.Contains(paths(r.Changed), "/"+strings.TrimSuffix(strings.TrimPrefix(name, "/"), ".gz"))
		if info.ModTime().Equal(old) == touched {
			t.Errorf("%s: changed %t, modified %v", name, touched, info.ModTime())
		}
	}
}

func TestWriteRemovesOnlyItsOwnStaleFiles(t *testing.T) {
	dir, posts := t.TempDir(), some()
	p := newPublisher(config(), nil, nil)
	write(t, dir, update(t, p, posts...).Set, "gzip")
	foreign := filepath.Join(dir, "tags", "cpp", "index.html")
	changed := filepath.Join(dir, "tags", "go", "atom.xml")
	for _, file := range []string{foreign, changed} {
		if err := os.WriteFile(file, []byte("somebody else's"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	set := update(t, p, posts[2]).Set // only Life is left
	report := write(t, dir, set, "gzip")

	want := contents(set)
	want["tags/cpp/index.html"], want["tags/go/atom.xml"] = "somebody else's", "somebody else's"
	got := files(t, dir)
	for name := range got {
		if plain, ok := strings.CutSuffix(name, ".gz"); ok && want[plain] != "" {
			delete(got, name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// DevOps, C++, go and 日本語, three files with their siblings each, but one.
	if report.Removed != 4*3*2-1 {
		t.Errorf("report %+v", report)
	}
	if _, err := os.Stat(filepath.Join(dir, "categories", "devops")); !os.IsNotExist(err) {
		t.Errorf("the empty folder is still there: %v", err)
	}
}

func TestWriteSiblings(t *testing.T) {
	dir := t.TempDir()
	set := update(t, newPublisher(config(), nil, nil), some()[0]).Set
	write(t, dir, set, "gzip", "br", "zstd")
	open := map[string]func(io.Reader) (io.Reader, error){
		".gz":  func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		".br":  func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
		".zst": func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) },
	}
	first := files(t, dir)
	for name, want := range contents(set) {
		if set.Copies()[name] != "" {
			continue
		}
		for suffix, reader := range open {
			r, err := reader(strings.NewReader(first[name+suffix]))
			if err != nil {
				t.Fatalf("%s%s: %v", name, suffix, err)
			}
			if got, err := io.ReadAll(r); err != nil || string(got) != want {
				t.Errorf("%s%s holds %q (%v)", name, suffix, got, err)
			}
		}
	}
	other := t.TempDir()
	write(t, other, set, "zstd", "gzip", "br")
	if diff := cmp.Diff(first, files(t, other)); diff != "" {
		t.Errorf("the same documents were compressed differently:\n%s", diff)
	}
	if err := os.WriteFile(filepath.Join(dir, "feed.xml.gz"), []byte("damaged"), 0o644); err != nil {
		t.Fatal(err)
	}
	write(t, dir, set, "gzip", "br", "zstd")
	if diff := cmp.Diff(first, files(t, dir)); diff != "" {
		t.Errorf("a damaged sibling was not mended:\n%s", diff)
	}
	write(t, dir, set)
	if diff := cmp.Diff(contents(set), files(t, dir)); diff != "" {
		t.Errorf("siblings that are no longer wanted stayed:\n%s", diff)
	}
}

func TestWriteErrors(t *testing.T) {
	sound := publish.NewDocument("/feed.xml", "", []byte("sound"))
	for name, tt := range map[string]struct {
		set     *publish.Set
		codings []string
		prepare func(dir string) error
		want    string
	}{
		"unknown coding":  {set: publish.NewSet(sound), codings: []string{"lzma"}, want: "use gzip, br or zstd"},
		"escape":          {set: publish.NewSet(publish.NewDocument("/tags/../../feed.xml", "", nil)), want: "not safe"},
		"empty segment":   {set: publish.NewSet(publish.NewDocument("/tags//feed.xml", "", nil)), want: "not safe"},
		"hidden":          {set: publish.NewSet(publish.NewDocument("/tags/.git/feed.xml", "", nil)), want: "not safe"},
		"backslash":       {set: publish.NewSet(publish.NewDocument(`/tags/..\..\x/feed.xml`, "", nil)), want: "not safe"},
		"control":         {set: publish.NewSet(publish.NewDocument("/tags/a\x00b/feed.xml", "", nil)), want: "not safe"},
		"only case apart": {set: publish.NewSet(sound, publish.NewDocument("/Feed.xml", "", nil)), want: "one file where case is ignored"},
		"a folder in the way": {
			set:     publish.NewSet(sound),
			prepare: func(dir string) error { return os.MkdirAll(filepath.Join(dir, "feed.xml", "x"), 0o755) },
			want:    "feed.xml",
		},
		"a file in the way": {
			set:     publish.NewSet(publish.NewDocument("/tags/go/feed.xml", "", nil)),
			prepare: func(dir string) error { return os.WriteFile(filepath.Join(dir, "tags"), nil, 0o644) },
			want:    "tags",
		},
		"a link out": {
			set:     publish.NewSet(publish.NewDocument("/tags/go/feed.xml", "", nil)),
			prepare: func(dir string) error { return os.Symlink(os.TempDir(), filepath.Join(dir, "tags")) },
			want:    "escapes",
		},
		"damaged manifest": {
			set: publish.NewSet(sound),
			prepare: func(dir string) error {
				return os.WriteFile(filepath.Join(dir, ".tidings-manifest.json"), []byte("{"), 0o644)
			},
			want: "delete it",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if tt.prepare != nil {
				if err := tt.prepare(dir); err != nil {
					t.Fatal(err)
				}
			}
			before := files(t, dir)
			_, err := writeTo(t, dir, tt.set, tt.codings)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("error %v, want one about %q in %s", err, tt.want, dir)
			}
			if diff := cmp.Diff(before, files(t, dir)); diff != "" {
				t.Errorf("it left something behind:\n%s", diff)
			}
		})
	}
}

// TestManifestCannotRemoveOutside: a manifest is a file that anybody may have
// put there.
func TestManifestCannotRemoveOutside(t *testing.T) {
	parent := t.TempDir()
	victim := filepath.Join(parent, "victim")
	if err := os.WriteFile(victim, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(parent, "out")
	write(t, dir, publish.NewSet())
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	forged := `{"files": {"../victim": {"sha256": "` + empty + `"}}}`
	if err := os.WriteFile(filepath.Join(dir, ".tidings-manifest.json"), []byte(forged), 0o644); err != nil {
		t.Fatal(err)
	}
	write(t, dir, publish.NewSet())
	if _, err := os.Stat(victim); err != nil {
		t.Error(err)
	}
}

// twoSets are of many documents, all of which differ.
func twoSets() [2]*publish.Set {
	var sets [2]*publish.Set
	for i, letter := range []string{"a", "b"} {
		var docs []*publish.Document
		for j := range 40 {
			docs = append(docs, publish.NewDocument("/tags/"+name(j)+"/feed.xml", "", bytes.Repeat([]byte(letter), 100_000)))
		}
		sets[i] = publish.NewSet(docs...)
	}
	return sets
}

// TestWriteSurvivesAKill kills a process that writes two sets in turn; every
// file must be of one or the other, no sibling may be of another file than
// the one it stands beside, and the next Write leaves nothing else.
func TestWriteSurvivesAKill(t *testing.T) {
	const env = "TIDINGS_TEST_WRITE_TO"
	sets := twoSets()
	if dir := os.Getenv(env); dir != "" {
		w, err := publish.NewWriter(dir, []string{"gzip"})
		for i := 0; err == nil; i++ {
			_, err = w.Write(t.Context(), sets[i%2])
			os.Stdout.WriteString(".")
		}
		t.Fatal(err)
	}
	dir := t.TempDir()
	for round := range 4 {
		child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		child.Env = append(os.Environ(), env+"="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadFull(out, make([]byte, 2+round))
		child.Process.Kill()
		child.Wait()
		if err != nil {
			t.Fatalf("the child wrote nothing: %v", err)
		}
		checkWhole(t, dir, sets)
	}
	if err := os.WriteFile(filepath.Join(dir, "tags", name(0), ".tidings-0.tmp"), []byte("half"), 0o644); err != nil {
		t.Fatal(err)
	}
	write(t, dir, sets[0])
	if diff := cmp.Diff(contents(sets[0]), files(t, dir)); diff != "" {
		t.Errorf("not as wanted after the next write:\n%s", diff)
	}
}

// checkWhole checks that each file is of either set, and each sibling of its
// file.
func checkWhole(t *testing.T, dir string, sets [2]*publish.Set) {
	t.Helper()
	a, b, found := contents(sets[0]), contents(sets[1]), files(t, dir)
	for name, got := range found {
		if filepath.Ext(name) == ".xml" && got != a[name] && got != b[name] {
			t.Errorf("%s is half a file of %d bytes", name, len(got))
		}
		if plain, ok := strings.CutSuffix(name, ".gz"); ok && unzip(t, got) != found[plain] {
			t.Errorf("%s is not of the file beside it", name)
		}
	}
}

func unzip(t *testing.T, s string) string {
	t.Helper()
	r, err := gzip.NewReader(strings.NewReader(s))
	if err != nil {
		t.Error(err)
		return ""
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

// TestWriterReadsOnlyWhatOthersTouched: to one Writer a file of its own is
// what it was as long as its size and time are; with other ones it is looked
// at, and mended.
func TestWriterReadsOnlyWhatOthersTouched(t *testing.T) {
	dir := t.TempDir()
	set := publish.NewSet(
		publish.NewDocument("/feed.xml", "", []byte("sound")),
		publish.NewDocument("/tags/go/feed.xml", "", []byte("sound")))
	w, err := publish.NewWriter(dir, []string{"gzip"})
	if err != nil {
		t.Fatal(err)
	}
	again := func() publish.WriteReport {
		report, err := w.Write(t.Context(), set)
		if err != nil {
			t.Fatal(err)
		}
		return report
	}
	again()
	file := filepath.Join(dir, "feed.xml")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	edit := func(modified time.Time) {
		if err := errors.Join(os.WriteFile(file, []byte("other"), 0o644), os.Chtimes(file, modified, modified)); err != nil {
			t.Fatal(err)
		}
	}
	edit(info.ModTime())
	if got := again(); got != (publish.WriteReport{Files: 3, Unchanged: 3}) {
		t.Errorf("a file of the same size and time was read: %+v", got)
	}
	edit(info.ModTime().Add(time.Second))
	if got := again(); got != (publish.WriteReport{Files: 3, Unchanged: 2, Written: 1}) {
		t.Errorf("after somebody's edit: %+v", got)
	}
	if err := os.RemoveAll(filepath.Join(dir, "tags")); err != nil {
		t.Fatal(err)
	}
	if got := again(); got != (publish.WriteReport{Files: 3, Unchanged: 2, Written: 1}) {
		t.Errorf("after somebody removed a folder: %+v", got)
	}
	if got := files(t, dir); got["feed.xml"] != "sound" || got["tags/go/feed.xml"] != "sound" || unzip(t, got["tags/go/feed.xml.gz"]) != "sound" {
		t.Errorf("in the end: %q", got)
	}
}

// TestCopiesGiveWay: index.xml and its like are names that a site's own
// generator may use.
func TestCopiesGiveWay(t *testing.T) {
	dir, posts := t.TempDir(), some()
	for name, text := range map[string]string{"index.json": "their search index", "rss": "their file"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "feed.atom"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := newPublisher(config(), nil, nil)
	write(t, dir, update(t, p, posts...).Set)
	got := files(t, dir)
	if got["index.json"] != "their search index" || got["rss"] != "their file" {
		t.Errorf("a file of somebody else was replaced: %q, %q", got["index.json"], got["rss"])
	}
	if got["index.xml"] != got["feed.xml"] || got["rss.xml"] != got["feed.xml"] {
		t.Error("the copies are not as the feed")
	}
	// Somebody takes a name that was ours, and the feed changes.
	if err := os.WriteFile(filepath.Join(dir, "index.xml"), []byte("theirs now"), 0o644); err != nil {
		t.Fatal(err)
	}
	posts[2] = edited(posts[2], "Another life")
	write(t, dir, update(t, p, posts...).Set)
	got = files(t, dir)
	if got["index.xml"] != "theirs now" || got["rss.xml"] != got["feed.xml"] {
		t.Errorf("index.xml holds %q; rss.xml is the feed: %t", got["index.xml"], got["rss.xml"] == got["feed.xml"])
	}
}
