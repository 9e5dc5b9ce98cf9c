package main

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"tidings/internal/mail"
)

// parser reads messages as Python does, and says what it does not like.
const parser = `
import email, email.policy, sys
for name in sys.argv[1:]:
    with open(name, "rb") as f:
        message = email.message_from_binary_file(f, policy=email.policy.default)
    for part in message.walk():
        for defect in list(part.defects) + [d for v in part.values() for d in v.defects]:
            print(name, part.get_content_type(), repr(defect))
        if not part.is_multipart():
            part.get_content().encode("utf-8")
    for kind in ("plain", "html"):
        if not message.get_body((kind,)).get_content().strip():
            print(name, "no", kind)
    for field in ("From", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe", "Content-Language"):
        if len(message.get_all(field, [])) != 1:
            print(name, field, message.get_all(field))
    if not message["From"].addresses[0].domain or message["Date"].datetime is None:
        print(name, "From or Date is not understood")
    print(ascii(message["Subject"]))
`

// TestDigestForReal sends the sample blog, and posts that are hard on mails, as
// the daemon does; Python's parser has nothing to say, and every link of the
// mails is absolute and answered.
func TestDigestForReal(t *testing.T) {
	python, spamassassin := installed(t, "python3"), installed(t, "spamassassin")
	d := serve(t, captureConfig, samplePosts(t))
	d.subscribe(1)
	d.must("send", "weekly", "--since", "2000-01-01", "--yes")
	subjects := []string{strings.Repeat("Ärger mit 漢字 und العربية 👩‍👩‍👧 ", 12), "=?utf-8?q?x?= <b>\"'", "plain"}
	for _, s := range subjects {
		d.must("send", "weekly", "--since", "2000-01-01", "--subject", s, "--to", "test@example.org", "--yes")
	}
	files, err := filepath.Glob(filepath.Join(d.dir, "data", "mailbox", "new", "*"))
	if err != nil || len(files) != 1+len(subjects) {
		t.Fatalf("%d mails, %v", len(files), err)
	}
	out, err := exec.Command(python, append([]string{"-c", parser}, files...)...).CombinedOutput()
	if lines := strings.Split(strings.TrimSpace(string(out)), "\n"); err != nil || len(lines) != len(files) {
		t.Errorf("Python, %v:\n%s", err, out)
	} else if !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, `=?utf-8?q?x?= <b>"`) }) {
		t.Errorf("subjects arrive as\n%s", out)
	}
	for _, f := range files {
		d.followLinks(f)
	}
	if score := spamScore(t, spamassassin, files[0]); score >= 1 {
		t.Errorf("SpamAssassin gives %v points", score)
	}
}

// installed finds a program, or skips the test where it is not installed.
func installed(t *testing.T, name string) string {
	t.Helper()
	program, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") != "" {
		t.Fatalf("no %s: install it", name)
	}
	if err != nil {
		t.Skipf("no %s: install it", name)
	}
	return program
}

var score = regexp.MustCompile(`(?m)^X-Spam-Status: .*\bscore=(-?[0-9.]+)`)

// spamScore asks SpamAssassin, without the network.
func spamScore(t *testing.T, program, file string) float64 {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--local", "--test-mode", "--nocreate-prefs")
	cmd.Stdin, cmd.Env = bytes.NewReader(raw), append(os.Environ(), "HOME="+t.TempDir())
	out, err := cmd.Output()
	m := score.FindSubmatch(out)
	if err != nil || m == nil {
		t.Fatalf("spamassassin, %v:\n%s", err, out)
	}
	points, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v points", points)
	return points
}

// samplePosts are those of the sample blog, and some that are hard on mails.
func samplePosts(t *testing.T) map[string]string {
	t.Helper()
	posts := map[string]string{
		"hostile.md": "---\ntitle: \"</title><script>alert(1)</script> \\u202Egnp.exe\"\ndate: 2025-04-10\ntags: ['<b>', '\"']\nimage: /pictures/a.png\n---\n<script>alert(1)</script> & so on\n",
		"rtl.md":     "---\ntitle: كيف تبني حوضاً مرتفعاً\ndate: 2025-04-09\nlanguage: ar\n---\nالخشب والتربة.\n",
		"cjk.md":     "---\ntitle: 木材と土で花壇を作る方法\ndate: 2025-04-08\n---\n木材と土と午後のひととき。\n",
	}
	files, err := filepath.Glob("../../examples/posts/*.md")
	if err != nil || len(files) == 0 {
		t.Fatal("no sample blog", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		posts[filepath.Base(f)] = string(b)
	}
	return posts
}

// followLinks asks for every address in a mail, as a link checker does.
func (d *running) followLinks(file string) {
	d.t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		d.t.Fatal(err)
	}
	m, err := mail.Read(raw)
	if err != nil {
		d.t.Fatal(err)
	}
	addresses := map[string]bool{}
	for line := range strings.Lines(m.Text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "http") {
			addresses[line] = true
		}
	}
	if len(addresses) < 15 {
		d.t.Errorf("%d addresses in the text part", len(addresses))
	}
	doc, err := html.Parse(bytes.NewReader([]byte(m.HTML)))
	if err != nil {
		d.t.Fatal(err)
	}
	for n := range doc.Descendants() {
		for _, a := range n.Attr {
			if a.Key == "href" || a.Key == "src" && n.Data != "img" {
				addresses[a.Val] = true
			}
			if a.Key == "src" && a.Val != d.base+"/pictures/a.png" {
				d.t.Errorf("picture at %s", a.Val)
			}
		}
	}
	for address := range addresses {
		u, err := url.Parse(address)
		if err != nil || !u.IsAbs() {
			d.t.Errorf("the link %q is not absolute", address)
			continue
		}
		res, err := http.Get(address)
		if err != nil {
			d.t.Error(err)
			continue
		}
		res.Body.Close()
		if bytes.Contains(raw, []byte("\nTo: test@")) && strings.HasPrefix(u.Path, "/preferences/") {
			continue // a test copy is nobody's, who has no page of their own
		}
		if res.StatusCode != http.StatusOK {
			d.t.Errorf("%s: %s", address, res.Status)
		}
	}
}
