package bucket_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"gocloud.dev/blob"

	"tidings/internal/catalog"
	"tidings/internal/post"
	"tidings/internal/publish"
	"tidings/internal/publish/bucket"
	"tidings/internal/term"
)

const manifestName = ".tidings-manifest.json"

// A cloud is a server that speaks S3's protocol, and keeps count.
type cloud struct {
	t       *testing.T
	backend gofakes3.Backend
	server  *httptest.Server

	mu     sync.Mutex
	puts   []string                      // in the order of their end
	sent   map[string]http.Header        // with what each object was put last
	refuse func(method, key string) bool // with 403
	now    time.Time
}

// Now and Since are the clock of what is kept; it goes a second for each write.
func (c *cloud) Now() time.Time                  { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *cloud) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

func (c *cloud) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	c := &cloud{t: t, sent: map[string]http.Header{}, now: time.Now().UTC().Truncate(time.Second)}
	c.backend = s3mem.New(s3mem.WithTimeSource(c))
	if err := c.backend.CreateBucket("site"); err != nil {
		t.Fatal(err)
	}
	s3 := gofakes3.New(c.backend, gofakes3.WithTimeSource(c), gofakes3.WithTimeSkewLimit(0)).Server()
	c.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, _ := url.PathUnescape(strings.TrimPrefix(r.URL.Path, "/site/"))
		c.mu.Lock()
		refused := c.refuse != nil && c.refuse(r.Method, key)
		c.mu.Unlock()
		if refused {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<Error><Code>AccessDenied</Code><Message>no</Message></Error>`)
			return
		}
		s3.ServeHTTP(w, r)
		if r.Method == http.MethodPut {
			c.mu.Lock()
			c.puts = append(c.puts, key)
			c.sent[key] = r.Header
			c.mu.Unlock()
		}
	}))
	t.Cleanup(func() { c.server.Close() })
	return c
}

// settle returns when what a killed process had sent has been answered.
func (c *cloud) settle() {
	handler := c.server.Config.Handler
	c.server.Close()
	c.server = httptest.NewServer(handler)
}

// refusing says which requests are answered with 403 from now on.
func (c *cloud) refusing(refuse func(method, key string) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuse = refuse
}

func (c *cloud) address(place string) string {
	return "s3://" + place + "?region=eu-central-1&use_path_style=true&endpoint=" + url.QueryEscape(c.server.URL)
}

func (c *cloud) open(place string, codings ...string) *bucket.Writer {
	c.t.Helper()
	w, err := bucket.Open(c.t.Context(), c.address(place), codings)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { w.Close() })
	return w
}

// written gives what was put since the last call, without the manifest.
func (c *cloud) written() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []string
	for _, p := range c.puts {
		if !strings.HasSuffix(p, manifestName) {
			names = append(names, p)
		}
	}
	c.puts = nil
	return names
}

// objects gives the contents of the bucket, but the manifest.
func (c *cloud) objects() map[string]string {
	c.t.Helper()
	list, err := c.backend.ListBucket("site", nil, gofakes3.ListBucketPage{})
	if err != nil {
		c.t.Fatal(err)
	}
	all := map[string]string{}
	for _, o := range list.Contents {
		if !strings.HasSuffix(o.Key, manifestName) {
			all[o.Key], _ = c.object(o.Key)
		}
	}
	return all
}

func (c *cloud) object(key string) (text string, headers http.Header) {
	c.t.Helper()
	o, err := c.backend.GetObject("site", key, nil)
	if err != nil {
		c.t.Fatalf("%s: %v", key, err)
	}
	defer o.Contents.Close()
	b, err := io.ReadAll(o.Contents)
	if err != nil {
		c.t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(b), c.sent[key]
}

// put is what somebody else does.
func (c *cloud) put(key, text string) {
	c.t.Helper()
	b, err := blob.OpenBucket(c.t.Context(), c.address("site"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer b.Close()
	if err := b.WriteAll(c.t.Context(), key, []byte(text), nil); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cloud) write(w *bucket.Writer, set *publish.Set) publish.WriteReport {
	c.t.Helper()
	report, err := w.Write(c.t.Context(), set)
	if err != nil {
		c.t.Fatal(err)
	}
	return report
}

// newSet gives the feeds of posts, each named by its tag and its title:
// "go/First".
func newSet(t testing.TB, posts ...string) *publish.Set {
	t.Helper()
	p := publish.New(publish.Config{Title: "Field Notes", Language: "en", SiteURL: "https://example.org", Items: 3, Archives: true}, publish.Deps{
		Now: func() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) },
	})
	r, err := p.Update(t.Context(), snapshot(posts))
	if err != nil {
		t.Fatal(err)
	}
	return r.Set
}

func snapshot(posts []string) *catalog.Snapshot {
	snap, tags := &catalog.Snapshot{}, map[string]*catalog.Term{}
	for i, p := range posts {
		tag, title, _ := strings.Cut(p, "/")
		when := time.Date(2026, 5, 28-i, 9, 0, 0, 0, time.UTC)
		slug := term.Slug(title)
		e := &catalog.Entry{
			Post: &post.Post{File: slug + ".md", Title: title, Slug: slug, Body: "About " + title, Tags: []string{tag}},
			ID:   "tag:example.org,2026:" + slug, Path: "/posts/" + slug + "/", URL: "https://example.org/posts/" + slug + "/",
			Published: when, Updated: when,
		}
		snap.Entries = append(snap.Entries, e)
		if tags[tag] == nil {
			tags[tag] = &catalog.Term{Kind: catalog.Tag, Key: term.Key(tag), Slug: term.Slug(tag), Name: tag}
		}
		tags[tag].Entries = append(tags[tag].Entries, e)
	}
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		snap.Tags = append(snap.Tags, tags[name])
	}
	return snap
}

// contents are the plain objects that a set makes.
func contents(t testing.TB, set *publish.Set) map[string]string {
	t.Helper()
	rounds, err := set.Objects()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, round := range rounds {
		for _, o := range round {
			all[o.Name] = string(o.Bytes())
		}
	}
	return all
}

func diff(t *testing.T, want, got map[string]string) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestWrite(t *testing.T) {
	c := newCloud(t)
	set := newSet(t, "go/First", "web/Second")
	n := len(set.Documents())
	if got := c.write(c.open("site"), set); got != (publish.WriteReport{Files: n, Written: n}) {
		t.Errorf("%+v", got)
	}
	diff(t, contents(t, set), c.objects())
	_, headers := c.object("tags/go/atom.xml")
	for header, want := range map[string]string{"Content-Type": "application/atom+xml; charset=utf-8", "Cache-Control": publish.Caching, "Content-Encoding": ""} {
		if headers.Get(header) != want {
			t.Errorf("%s: %q, not %q", header, headers.Get(header), want)
		}
	}
}

func TestSiblingsCarryTheirCoding(t *testing.T) {
	c := newCloud(t)
	set := newSet(t, "go/First")
	c.write(c.open("site", "gzip", "br", "zstd"), set)
	text, headers := c.object("feed.xml.gz")
	if headers.Get("Content-Encoding") != "gzip" || headers.Get("Content-Type") != "application/rss+xml; charset=utf-8" {
		t.Errorf("headers of feed.xml.gz: %v", headers)
	}
	r, err := gzip.NewReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if want := set.Lookup("/feed.xml").Bytes(); err != nil || !bytes.Equal(plain, want) {
		t.Errorf("feed.xml.gz holds %q, %v", plain, err)
	}
	for name, coding := range map[string]string{"atom.xml.br": "br", "feeds.opml.zst": "zstd"} {
		if _, headers := c.object(name); headers.Get("Content-Encoding") != coding {
			t.Errorf("headers of %s: %v", name, headers)
		}
	}
}

func TestUnchangedObjectsAreNotWritten(t *testing.T) {
	c := newCloud(t)
	w := c.open("site/blog", "gzip")
	c.write(w, newSet(t, "go/First", "web/Second"))
	c.written()
	for name, w := range map[string]*bucket.Writer{"the same": w, "another": c.open("site/blog/", "gzip")} {
		c.pass(time.Hour)
		report := c.write(w, newSet(t, "go/First", "web/Second"))
		if puts := c.written(); len(puts) > 0 || report.Written != 0 || report.Unchanged != report.Files {
			t.Errorf("%s writer wrote %q: %+v", name, puts, report)
		}
	}
	c.write(w, newSet(t, "go/First", "web/Second thoughts"))
	puts := c.written()
	if slices.ContainsFunc(puts, func(p string) bool { return strings.HasPrefix(p, "blog/tags/go/") }) ||
		!slices.Contains(puts, "blog/tags/web/feed.xml") || !slices.Contains(puts, "blog/tags/web/feed.xml.gz") || !slices.Contains(puts, "blog/feed.xml") {
		t.Errorf("one edit wrote %q", puts)
	}
}

func TestWhatIsNamedComesFirst(t *testing.T) {
	c := newCloud(t)
	var posts []string
	for i := range 12 {
		posts = append(posts, fmt.Sprintf("go/Post %d", i))
	}
	set := newSet(t, posts...)
	c.write(c.open("site"), set)
	rounds, err := set.Objects()
	if err != nil {
		t.Fatal(err)
	}
	if len(rounds[0]) == 0 {
		t.Fatal("there are no archives")
	}
	round := map[string]int{manifestName: len(rounds)}
	for i, list := range rounds {
		for _, o := range list {
			round[o.Name] = i
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	last := 0
	for _, name := range c.puts[1:] { // first comes what claims the others
		if round[name] < last {
			t.Errorf("%s was written after what names it", name)
		}
		last = max(last, round[name])
	}
	if c.puts[0] != manifestName || last != len(rounds) {
		t.Errorf("written: %q", c.puts)
	}
}

func TestStaleObjectsGoAndForeignOnesStay(t *testing.T) {
	c := newCloud(t)
	c.put("index.xml", "somebody's own")
	c.put("tags/web/photo.jpg", "a picture")
	c.put("blog.html", "a page")
	w := c.open("site")
	c.write(w, newSet(t, "go/First", "web/Second", "old/Third"))
	c.pass(time.Hour)
	c.put("tags/old/atom.xml", "changed by hand since")
	set := newSet(t, "go/First")
	c.write(c.open("site"), set)
	want := contents(t, set)
	want["index.xml"], want["tags/web/photo.jpg"], want["blog.html"], want["tags/old/atom.xml"] =
		"somebody's own", "a picture", "a page", "changed by hand since"
	diff(t, want, c.objects())
}

func TestWhatSomebodyChangedIsMended(t *testing.T) {
	c := newCloud(t)
	set := newSet(t, "go/First")
	c.write(c.open("site"), set)
	c.pass(time.Hour)
	c.put("feed.xml", "vandalism")
	if _, err := c.backend.DeleteObject("site", "atom.xml"); err != nil {
		t.Fatal(err)
	}
	same := bytes.Clone(set.Lookup("/feed.json").Bytes())
	same[0] = '['
	c.put("feed.json", string(same)) // as long as before
	c.written()
	c.write(c.open("site"), set)
	puts := slices.Sorted(slices.Values(c.written()))
	if !slices.Equal(puts, []string{"atom.xml", "feed.json", "feed.xml"}) {
		t.Errorf("written: %q", puts)
	}
	diff(t, contents(t, set), c.objects())
}

// TestStoppedAnywhere ends a Write at many of its requests, as a kill does, and
// has another finish with another set.
func TestStoppedAnywhere(t *testing.T) {
	sets := []*publish.Set{newSet(t, "go/First", "old/Second"), newSet(t, "go/First again", "new/Third")}
	for stop := 1; ; stop += 1 + stop/8 {
		c := newCloud(t)
		c.write(c.open("site", "gzip"), sets[0])
		c.pass(time.Hour)
		ctx, kill := context.WithCancel(t.Context())
		left := stop
		c.refusing(func(method, key string) bool {
			if method == http.MethodPut || method == http.MethodDelete {
				left--
			}
			if left < 0 {
				kill()
			}
			return left < 0
		})
		_, err := c.open("site", "gzip").Write(ctx, newSet(t, "go/First again", "gone/Fourth"))
		kill()
		if err == nil {
			if stop < 10 {
				t.Errorf("%d requests were enough", stop)
			}
			return
		}
		if !strings.Contains(err.Error(), "s3://site") || strings.Contains(err.Error(), "secret") {
			t.Errorf("the error says: %v", err)
		}
		c.refusing(nil)
		c.settle()
		c.pass(time.Hour)
		c.write(c.open("site"), sets[1])
		if diff(t, contents(t, sets[1]), c.objects()); t.Failed() {
			t.Fatalf("after %d requests", stop)
		}
	}
}

func TestTheSameWriterGoesOnAfterAnError(t *testing.T) {
	c := newCloud(t)
	w := c.open("site")
	set := newSet(t, "go/First")
	c.refusing(func(method, key string) bool { return method == http.MethodPut && key == "feed.json" })
	if _, err := w.Write(t.Context(), set); err == nil {
		t.Fatal("no error")
	}
	c.refusing(nil)
	c.write(w, set)
	diff(t, contents(t, set), c.objects())
}

func TestAnotherVersionsHeaders(t *testing.T) {
	c := newCloud(t)
	set := newSet(t, "go/First")
	c.write(c.open("site"), set)
	text, _ := c.object(manifestName)
	c.put(manifestName, strings.ReplaceAll(text, publish.Caching, "no-store"))
	if report := c.write(c.open("site"), set); report.Unchanged != 0 {
		t.Errorf("%+v", report)
	}
}

func TestDamagedManifest(t *testing.T) {
	c := newCloud(t)
	c.put(manifestName, "{")
	_, err := c.open("site").Write(t.Context(), newSet(t, "go/First"))
	if err == nil || !strings.Contains(err.Error(), manifestName+" is damaged") {
		t.Errorf("the error says: %v", err)
	}
	if len(c.objects()) > 0 {
		t.Error("something was written")
	}
}

func TestNoSuchBucket(t *testing.T) {
	c := newCloud(t)
	_, err := c.open("elsewhere").Write(t.Context(), newSet(t, "go/First"))
	if err == nil || !strings.Contains(err.Error(), "make the bucket, or mend its name") {
		t.Errorf("the error says: %v", err)
	}
}

func TestEndOfTheContext(t *testing.T) {
	c := newCloud(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.open("site").Write(ctx, newSet(t, "go/First")); err == nil {
		t.Error("no error")
	}
}

func TestCheckAddress(t *testing.T) {
	for address, want := range map[string]string{
		"s3://site":                         "",
		"s3://site/a/b?region=eu-central-1": "",
		"gs://site":                         "",
		"azblob://container/feeds/":         "",
		"http://example.org/x":              "http:// is not supported",
		"s3://":                             "no bucket is named",
		"s3:///folder":                      "no bucket is named",
		"s3://key:secret@site":              "keys do not belong",
		"s3://site/../x":                    "not the name of a folder",
		"s3://site/a//b":                    "not the name of a folder",
		"s3://site?prefix=a/":               "instead of prefix",
		"s3://si te%zz":                     "not a valid address",
		"s3://127.0.0.1:9000/site":          "a server, not a bucket",
		"s3://site?key=secret":              "has no parameter key",
		"s3://site?regoin=eu-central-1":     "has no parameter regoin",
		"gs://site?private_key_path=x":      "has no parameter private_key_path",
		"azblob://site?localemu=true":       "",
		"file:///srv/site":                  "file:// is not supported",
	} {
		err := bucket.CheckAddress(address)
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: %v", address, err)
		}
	}
}
