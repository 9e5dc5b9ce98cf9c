package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// A cloud is a server that speaks S3's protocol.
type cloud struct {
	t       *testing.T
	backend *s3mem.Backend
	server  *httptest.Server
	puts    atomic.Int64
	away    atomic.Bool
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{t: t, backend: s3mem.New()}
	if err := c.backend.CreateBucket("site"); err != nil {
		t.Fatal(err)
	}
	s3 := gofakes3.New(c.backend).Server()
	c.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.away.Load() {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if r.Method == http.MethodPut {
			c.puts.Add(1)
		}
		s3.ServeHTTP(w, r)
	}))
	t.Cleanup(c.server.Close)
	return c
}

func (c *cloud) address() string {
	return "s3://site/feeds?region=eu-central-1&use_path_style=true&endpoint=" + c.server.URL
}

// keys are the environment of a process that may use it.
func (c *cloud) keys() []string {
	return []string{"AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=hush", "AWS_EC2_METADATA_DISABLED=true"}
}

// holds reports whether an object has a text in it.
func (c *cloud) holds(key, text string) bool {
	c.t.Helper()
	o, err := c.backend.GetObject("site", key, nil)
	if err != nil {
		return false
	}
	defer o.Contents.Close()
	b, err := io.ReadAll(o.Contents)
	if err != nil {
		c.t.Fatal(err)
	}
	return strings.Contains(string(b), text)
}

func TestBuildIntoABucket(t *testing.T) {
	c := newCloud(t)
	b := newBlog(t, "posts: {dir: posts}\n", onePost)
	b.env = c.keys()
	first := b.must("build", "--out", c.address())
	if !c.holds("feeds/feed.xml", "<title>One</title>") || !strings.Contains(first, "s3://site/feeds (") {
		t.Errorf("build says: %s", first)
	}
	n := c.puts.Load()
	if again := b.must("build", "--out", c.address()); !strings.Contains(again, "(0 written") || c.puts.Load() != n {
		t.Errorf("the second build wrote %d objects and says: %s", c.puts.Load()-n, again)
	}
}

// TestConfigCheckOfABucket: what a start would only log is told before.
func TestConfigCheckOfABucket(t *testing.T) {
	c := newCloud(t)
	check := func(place, want string, env ...string) {
		t.Helper()
		b := newBlog(t, fmt.Sprintf("posts: {dir: posts}\nfeeds: {dir: %q}\n", place), onePost)
		b.env = append(c.keys(), env...)
		cmd := b.command("config", "check")
		out, _ := cmd.CombinedOutput()
		if text := string(out); !strings.Contains(text, want) || strings.Contains(text, "hush") || (cmd.ProcessState.ExitCode() == 0) != (want == "is in order") {
			t.Errorf("exit %d, and config check says: %s", cmd.ProcessState.ExitCode(), text)
		}
	}
	check(c.address(), "is in order")
	check(strings.Replace(c.address(), "site", "elsewhere", 1), "feeds.dir: look into s3://elsewhere/feeds: ")
	check(strings.Replace(c.address(), "site", "elsewhere", 1), "make the bucket, or mend its name")
	check(c.address(), "set AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_SHARED_CREDENTIALS_FILE=/nonexistent", "AWS_CONFIG_FILE=/nonexistent")
	check("ftp://site/feeds", "ftp:// is not supported")
	c.away.Store(true)
	check(c.address(), "must be allowed to list")
}

// TestServeIntoABucket edits a post while the bucket is there, and while it
// refuses everything.
func TestServeIntoABucket(t *testing.T) {
	c := newCloud(t)
	d := prepare(t, fmt.Sprintf("posts: {dir: posts, settle: 0s}\nhttp: {listen: \"127.0.0.1:%%d\"}\nfeeds: {dir: %q, precompress: [gzip]}\n", c.address()), onePost)
	d.env = c.keys()
	d.start()
	d.eventually("the feeds are in the bucket", func() bool { return c.holds("feeds/feed.xml", "<title>One</title>") })
	d.write("posts/one.md", "---\ntitle: Won\ndate: 2025-01-02\n---\nText.\n")
	d.eventually("the bucket follows", func() bool { return c.holds("feeds/feed.xml", "<title>Won</title>") })
	c.away.Store(true)
	d.write("posts/one.md", "---\ntitle: Lost\ndate: 2025-01-02\n---\nText.\n")
	d.eventually("the log tells", func() bool { return strings.Contains(d.logs.String(), "feeds not written to feeds.dir") })
	if strings.Contains(d.logs.String(), "hush") {
		t.Error("the log holds the secret key")
	}
	c.away.Store(false)
	d.write("posts/one.md", "---\ntitle: Found\ndate: 2025-01-02\n---\nText.\n")
	d.eventually("the bucket follows again", func() bool { return c.holds("feeds/feed.xml", "<title>Found</title>") })
}
