package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A running daemon.
type running struct {
	*blog
	base string
	logs *syncBuffer
	env  []string     // added to the process's
	stop func() error // SIGTERM, and what the process ended with

	hangup func() // SIGHUP
	kill   func() // SIGKILL, and gone
}

// syncBuffer is written by a process and read by a test.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// serve starts a daemon; config has %[1]d where its port goes.
func serve(t testing.TB, config string, posts map[string]string, args ...string) *running {
	t.Helper()
	d := prepare(t, config, posts)
	d.start(args...)
	return d
}

// prepare is serve without the start.
func prepare(t testing.TB, config string, posts map[string]string) *running {
	t.Helper()
	port := freePort(t)
	return &running{blog: newBlog(t, fmt.Sprintf(config, port), posts), base: fmt.Sprintf("http://localhost:%d", port), logs: &syncBuffer{}}
}

func (d *running) start(args ...string) {
	d.t.Helper()
	cmd := d.command(append([]string{"serve"}, args...)...)
	cmd.Stderr = d.logs
	cmd.Env = append(os.Environ(), d.env...)
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	d.hangup = func() { cmd.Process.Signal(syscall.SIGHUP) }
	var once sync.Once
	var result error
	d.kill = func() {
		once.Do(func() {
			cmd.Process.Kill()
			result = <-ended
		})
	}
	d.stop = func() error {
		once.Do(func() {
			cmd.Process.Signal(syscall.SIGTERM)
			select {
			case result = <-ended:
			case <-time.After(40 * time.Second):
				cmd.Process.Kill()
				result = fmt.Errorf("did not stop: %w", <-ended)
			}
		})
		return result
	}
	stop := d.stop
	d.t.Cleanup(func() {
		stop()
		if d.t.Failed() {
			d.t.Logf("the daemon's log:\n%s", d.logs)
		}
	})
	d.eventually("the daemon answers", func() bool {
		res, err := http.Get(d.base + "/readyz")
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

func (d *running) eventually(what string, ok func() bool) {
	d.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	d.t.Fatalf("never: %s", what)
}

func (d *running) get(path string) string {
	d.t.Helper()
	res, err := http.Get(d.base + path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(b)
}

func (d *running) post(path string, form url.Values) int {
	d.t.Helper()
	res, err := http.PostForm(d.base+path, form)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

var formToken = regexp.MustCompile(`name="token" value="([a-z2-7]+)"`)

// signUp fills in the form as a browser without scripts does: it is shown once
// more, and taken after a while.
func (d *running) signUp(email string) {
	d.t.Helper()
	form := url.Values{"email": {email}}
	d.eventually("the sign-up is taken", func() bool {
		res, err := http.PostForm(d.base+"/subscribe", form)
		if err != nil {
			d.t.Fatal(err)
		}
		defer res.Body.Close()
		page, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			d.t.Fatalf("subscribe: %s, %v", res.Status, err)
		}
		if token := formToken.FindSubmatch(page); token != nil && form.Get("token") == "" {
			form.Set("token", string(token[1]))
		}
		return strings.Contains(string(page), "Check your mail")
	})
}

// mails gives the captured mails to an address, decoded enough to find links.
func (d *running) mails(to string) []string {
	d.t.Helper()
	files, err := filepath.Glob(filepath.Join(d.dir, "data", "mailbox", "new", "*"))
	if err != nil {
		d.t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			d.t.Fatal(err)
		}
		text := strings.ReplaceAll(string(b), "=\r\n", "")
		if strings.Contains(text, "\nTo: "+to+"\r\n") {
			out = append(out, text)
		}
	}
	return out
}

var pathTo = regexp.MustCompile(`http://localhost:\d+(/(?:confirm|unsubscribe)/[A-Za-z0-9_-]+)`)

const captureConfig = `
site: {title: Field Notes, url: "http://localhost:%[1]d"}
posts: {dir: posts, settle: 0s, debounce: 20ms}
newsletters: {weekly: {title: Weekly digest}}
http: {listen: "127.0.0.1:%[1]d"}
`

// TestFromSignUpToLeaving follows one reader through the running program.
func TestFromSignUpToLeaving(t *testing.T) {
	d := serve(t, captureConfig, onePost)
	if home := d.get("/"); !strings.Contains(home, "One") || !strings.Contains(home, "<form") {
		t.Errorf("the home page shows neither post nor form:\n%s", home)
	}
	d.signUp("ann@example.org")
	d.eventually("the confirmation mail comes", func() bool { return len(d.mails("ann@example.org")) == 1 })
	confirm := pathTo.FindStringSubmatch(d.mails("ann@example.org")[0])[1]
	d.get(confirm) // a link scanner
	if out := d.must("subscribers", "list", "--status", "active"); strings.Contains(out, "ann@") {
		t.Error("a GET confirmed")
	}
	if code := d.post(confirm, nil); code/100 != 2 && code/100 != 3 {
		t.Fatalf("confirm: %d", code)
	}

	d.write("posts/two.md", "---\ntitle: Two\ndate: "+time.Now().UTC().Format(time.RFC3339)+"\ntags: [go]\n---\nNew.\n")
	d.eventually("the new post is in its feed", func() bool { return strings.Contains(d.get("/tags/go/feed.xml"), "<title>Two</title>") })
	d.must("send", "weekly", "--yes")
	if n := len(d.mails("ann@example.org")); n != 2 {
		t.Fatalf("%d mails, want the confirmation and the digest", n)
	}
	if !strings.Contains(d.get("/admin/mailbox/"), "Two") {
		t.Error("the digest is not in the mailbox page")
	}

	leave := pathTo.FindStringSubmatch(d.mails("ann@example.org")[1])[1]
	d.get(leave)
	if out := d.must("subscribers", "list", "--status", "active"); !strings.Contains(out, "ann@") {
		t.Error("a GET unsubscribed")
	}
	if code := d.post(leave, url.Values{"List-Unsubscribe": {"One-Click"}}); code != http.StatusOK {
		t.Errorf("one-click: %d", code)
	}
	if out := d.must("subscribers", "list", "--status", "active"); strings.Contains(out, "ann@") {
		t.Error("the one-click POST did not unsubscribe")
	}
	if err := d.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// TestRehearsedSchedule lets a daily newsletter run through several days.
func TestRehearsedSchedule(t *testing.T) {
	config := strings.Replace(captureConfig, "{title: Weekly digest}", `{schedule: "0 8 * * *"}`, 1)
	posts := map[string]string{
		"a.md": "---\ntitle: Early\ndate: 2030-01-03T12:00:00Z\n---\nx\n",
		"b.md": "---\ntitle: Later\ndate: 2030-01-05T07:59:00Z\n---\nx\n",
	}
	d := serve(t, config, posts, "--clock", "2030-01-01T00:00:00Z,43200") // half a day a second
	d.subscribe(2)
	d.eventually("six days pass", func() bool { return strings.Count(d.must("editions", "list"), "weekly") >= 6 })
	d.eventually("both posts are mailed", func() bool { return len(d.mails("r1@example.com")) >= 2 })
	if err := d.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	for _, m := range d.mails("r0@example.com") {
		if early, later := strings.Contains(m, "Subject: Early\r\n"), strings.Contains(m, "Subject: Later\r\n"); early == later {
			t.Errorf("a mail with neither or both:\n%s", m[:400])
		}
	}
}

func TestReload(t *testing.T) {
	d := serve(t, captureConfig, onePost)
	config, err := os.ReadFile(filepath.Join(d.dir, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	d.write("config.yaml", strings.Replace(string(config), "Field Notes", "[broken", 1))
	d.hangup()
	d.eventually("the fault is in the log", func() bool { return strings.Contains(d.logs.String(), "the old one stays") })
	if !strings.Contains(d.get("/feed.xml"), "Field Notes") {
		t.Error("a broken configuration changed something")
	}
	d.write("config.yaml", strings.Replace(string(config), "Field Notes", "Other Notes", 1))
	d.hangup()
	d.eventually("the new title is served", func() bool {
		res, err := http.Get(d.base + "/feed.xml")
		if err != nil {
			return false // between the two runs
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return bytes.Contains(b, []byte("Other Notes"))
	})
	if err := d.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// TestEditedWhileSendWaits: a post that is edited while send waits for it to
// settle is mailed as it is in the end.
func TestEditedWhileSendWaits(t *testing.T) {
	config := strings.Replace(strings.ReplaceAll(captureConfig, "%[1]d", "8080"), "settle: 0s", "settle: 5s", 1)
	b := newBlog(t, config, onePost)
	b.subscribe(1)
	b.write("posts/one.md", onePost["one.md"]) // changed just now
	cmd := b.command("send", "weekly", "--since", "2025-01-01", "--yes")
	said := &syncBuffer{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d := &running{blog: b}
	d.eventually("send waits", func() bool { return strings.Contains(said.String(), "waiting") })
	b.write("posts/one.md", "---\ntitle: Better\ndate: 2025-01-02\n---\nText.\n")
	if err := cmd.Wait(); err != nil {
		t.Fatalf("send: %v\n%s", err, said)
	}
	if mails := d.mails("r0@example.com"); len(mails) != 1 || !strings.Contains(mails[0], "Subject: Better\r\n") {
		t.Errorf("%d mails, want one with the new title:\n%s", len(mails), said)
	}
}
