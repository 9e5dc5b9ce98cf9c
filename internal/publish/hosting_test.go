package publish_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tidings/internal/catalog"
	"tidings/internal/publish"
)

// nginx serves a folder with the rules in it, and gives a client of it.
func nginx(t *testing.T, dir string) *http.Transport {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("no nginx: install Debian's nginx-light")
	}
	state := t.TempDir()
	socket, file := filepath.Join(state, "socket"), filepath.Join(state, "nginx.conf")
	var temp strings.Builder
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temp, "%s_temp_path %s/%s;\n", kind, state, kind)
	}
	conf := fmt.Sprintf("daemon off; master_process off; pid %[1]s/pid; error_log stderr notice; events {}\n"+
		"http { %[2]s access_log off; server { listen unix:%[3]s; root %[4]s; include %[4]s/.tidings/nginx.conf; } }\n",
		state, temp.String(), socket, dir)
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-c", file, "-e", "stderr")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	log, said := bufio.NewScanner(stderr), ""
	for log.Scan() && !strings.Contains(said, "event method") { // by then it listens
		said += log.Text() + "\n"
	}
	if !strings.Contains(said, "event method") {
		t.Fatalf("nginx does not understand the rules: %s", said)
	}
	go io.Copy(io.Discard, stderr)
	return &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
}

// answer is what a host gives, without following redirects.
func answer(t *testing.T, host *http.Transport, method, path string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://example.org"+(&url.URL{Path: path}).EscapedPath(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := host.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

// TestNginx: with the rules a real nginx answers as the daemon does, whatever
// the preset.
func TestNginx(t *testing.T) {
	for _, preset := range []publish.Preset{publish.NoPreset, publish.Hugo, publish.WordPress, publish.Ghost, publish.Jekyll} {
		t.Run(string(preset), func(t *testing.T) {
			cfg := publish.Config{Title: "Field Notes", SiteURL: "https://example.org", Items: 3, Preset: preset, Hubs: []string{"https://hub.example/"}}
			set := published(t, cfg, library())
			dir := t.TempDir()
			write(t, dir, set, "gzip")
			host := nginx(t, dir)
			for _, path := range set.Paths() {
				checkHosted(t, set, cfg, host, path)
			}
			resp, _ := answer(t, host, "GET", "/categories/ops/feed.xml")
			if to, err := resp.Location(); err != nil || resp.StatusCode != 301 || to.Path != "/categories/devops/feed.xml" {
				t.Errorf("a former address: %d to %v", resp.StatusCode, to)
			}
			if resp, _ := answer(t, host, "GET", "/categories/none/feed.xml"); resp.StatusCode != 404 {
				t.Errorf("a feed that is not there: %d", resp.StatusCode)
			}
		})
	}
}

func checkHosted(t *testing.T, set *publish.Set, cfg publish.Config, host *http.Transport, path string) {
	t.Helper()
	doc := set.Lookup(path)
	resp, body := answer(t, host, "GET", path)
	if resp.StatusCode != 200 || body != string(doc.Bytes()) {
		t.Errorf("%s: %d, and not the bytes of %s", path, resp.StatusCode, doc.Path)
		return
	}
	for name, want := range map[string]string{
		"Content-Type": doc.MediaType, "Cache-Control": publish.Caching, "Content-Security-Policy": publish.Policy, "Access-Control-Allow-Origin": "*",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %s is %q, want %q", path, name, got, want)
		}
	}
	want := "<https://hub.example/>; rel=hub, <" + cfg.URL(doc.Path) + ">; rel=self"
	if got := resp.Header.Get("Link"); got != want && (got != "" || path == doc.Path && path != "/feeds.opml") {
		t.Errorf("%s: Link is %q, want %q", path, got, want)
	}
	if path == doc.Path {
		if resp, body := answer(t, host, "GET", path, "Accept-Encoding", "gzip"); resp.Header.Get("Content-Encoding") != "gzip" || unzip(t, body) != string(doc.Bytes()) {
			t.Errorf("%s: no prepared gzip", path)
		}
	}
}

// TestRulesForPages: the files of Netlify and Cloudflare Pages have the same
// rules.
func TestRulesForPages(t *testing.T) {
	cfg := publish.Config{Title: "Field Notes", SiteURL: "https://example.org", Preset: publish.WordPress, Hubs: []string{"https://hub.example/"}}
	r, err := newPublisher(cfg, nil, nil).Update(context.Background(), library())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, r.Set)
	for name, parts := range map[string][]string{
		"_headers": {
			"\n/feed.xml\n  Content-Type: application/rss+xml; charset=utf-8\n  Cache-Control: " + publish.Caching + "\n",
			"  Link: <https://hub.example/>; rel=hub, <https://example.org/feed.xml>; rel=self\n",
			"\n/tags/:slug/atom.xml\n  Content-Type: application/atom+xml; charset=utf-8\n", "\n/index.json\n",
			"\n/tags/grosse-%C3%BCbersicht/feed.json\n",
		},
		"_redirects": {
			"\n/categories/ops/feed.xml /categories/devops/feed.xml 301\n", "\n/feed/ /feed.xml 200\n", "\n/feed/atom /atom.xml 200\n",
			"\n/category/:slug/feed/ /categories/:slug/feed.xml 200\n", "\n/tag/grose-ubersicht/feed /tags/grosse-%C3%BCbersicht/feed.xml 200\n",
		},
	} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range parts {
			if !strings.Contains(string(b), part) {
				t.Errorf("%s has no\n%s\nbut is\n%s", name, part, b)
			}
		}
	}
}

// TestRulesGiveWay: a site may have such files of its own.
func TestRulesGiveWay(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "_headers")
	if err := os.WriteFile(own, []byte("/*\n  X-Mine: 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	set := update(t, newPublisher(config(), nil, nil), some()...).Set
	write(t, dir, set)
	if b, err := os.ReadFile(own); err != nil || !strings.Contains(string(b), "X-Mine") {
		t.Errorf("%q, %v", b, err)
	}
	b, err := os.ReadFile(filepath.Join(dir, ".tidings", "nginx.conf"))
	if err != nil || !strings.Contains(string(b), `location = "/blog/feed.xml"`) {
		t.Errorf("the rules do not know the path of the feeds' address (%v):\n%s", err, b)
	}
	if info, err := os.Stat(filepath.Join(dir, ".tidings", "nginx.conf")); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info, err)
	}
}

// TestOddNamesInRules: whatever a term is called, nginx understands the rules.
func TestOddNamesInRules(t *testing.T) {
	for _, preset := range []publish.Preset{publish.Hugo, publish.WordPress, publish.Ghost, publish.Jekyll} {
		var entries []*catalog.Entry
		for i, odd := range []string{`"`, "a;b", "{x}", "$y", `\`, "a b", "'", "<i>", "a/../b", "#", "%41", "~", "?", "日本 語", "`", "a\nb", "*"} {
			entries = append(entries, newEntry(i+1, name(i), "x"+odd, "#y"+odd))
		}
		snap := snapshot(entries...)
		for _, x := range [][]*catalog.Term{snap.Categories, snap.Tags} {
			for i, one := range x {
				one.Spellings, one.Slug = []string{one.Name}, name(i)
			}
		}
		cfg := publish.Config{Title: "Field Notes", SiteURL: "https://example.org", Preset: preset}
		r, err := newPublisher(cfg, nil, nil).Update(context.Background(), snap)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		write(t, dir, r.Set)
		if resp, _ := answer(t, nginx(t, dir), "HEAD", "/feed.xml"); resp.StatusCode != 200 {
			t.Errorf("%s: %d", preset, resp.StatusCode)
		}
	}
}
