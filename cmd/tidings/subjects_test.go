package main

import (
	"encoding/json"
	"fmt"
	"mime"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"tidings/internal/relay/relaytest"
)

// subjectsOf reads messages as Python does.
const subjectsOf = `
import email, email.policy, json, sys
out = {}
for name in sys.argv[1:]:
    with open(name, "rb") as f:
        m = email.message_from_binary_file(f, policy=email.policy.default)
    defects = [repr(d) for d in list(m.defects) + list(m["Subject"].defects)]
    out[m["To"].addresses[0].username] = [m["Subject"], defects]
print(json.dumps(out))
`

// subjectTitles are titles that mail headers find hard, and how many of their
// characters at least a subject must keep.
var subjectTitles = []struct {
	title string
	keeps int
}{
	{"👩‍👩‍👧‍👦 & 🏳️‍🌈: what's new? 🎉", 120},
	{"كيف تبني حوضاً مرتفعاً (C++ 20)", 120},
	{"שלום, עולם! \"Hello\" – <world>", 120},
	{"=?utf-8?q?x?= \\ \"quoted\" (comment), a@b.example;", 120},
	{strings.TrimSpace(strings.Repeat("Raised beds ", 17)), 75},
	{strings.Repeat("木材と土で花壇を作る", 20), 115},
	{strings.TrimSpace(strings.Repeat("مرحبا بالعالم ", 15)), 75},
	{strings.Repeat("👩‍👩‍👧‍👦", 29), 105}, // 203 characters in 29
	{strings.Repeat("Donaudampfschiff", 13), 115},
	{"Zalgo " + strings.Repeat("e\u0301\u0320\u0324", 60), 6},
}

// TestSubjectsAsReceived mails a post with each of the titles, over SMTP: the
// header is folded and encoded as RFC 2047 says, and Python's parser gives back
// the title, or its beginning where it is too long.
func TestSubjectsAsReceived(t *testing.T) {
	python := installed(t, "python3")
	srv := relaytest.Start(t, relaytest.Options{})
	b := newBlog(t, smtpConfig(srv.Port()), nil)
	people := "email,categories\n"
	for i, s := range subjectTitles {
		title, err := json.Marshal(s.title)
		if err != nil {
			t.Fatal(err)
		}
		b.write(fmt.Sprintf("posts/p%d.md", i), fmt.Sprintf("---\ntitle: %s\ndate: 2025-01-02\ncategories: [c%d]\n---\nText.\n", title, i))
		people += fmt.Sprintf("r%d@example.com,c%d\n", i, i)
	}
	b.write("people.csv", people)
	b.must("subscribers", "import", "people.csv", "--confirmed")
	b.must("send", "weekly", "--since", "2025-01-01", "--yes")
	var files []string
	for i, m := range srv.Messages() {
		name := fmt.Sprintf("%d.eml", i)
		b.write(name, string(m.Data))
		files = append(files, filepath.Join(b.dir, name))
		checkSubjectLines(t, m.To[0], string(m.Data))
	}
	out, err := exec.Command(python, append([]string{"-c", subjectsOf}, files...)...).Output()
	var got map[string][2]any
	if err != nil || json.Unmarshal(out, &got) != nil || len(got) != len(subjectTitles) {
		t.Fatalf("Python, %v:\n%s", err, out)
	}
	for i, s := range subjectTitles {
		subject, defects := got[fmt.Sprintf("r%d", i)][0].(string), got[fmt.Sprintf("r%d", i)][1].([]any)
		if len(defects) > 0 {
			t.Errorf("%q: %v", s.title, defects)
		}
		checkSubject(t, s.title, subject, s.keeps)
	}
}

// checkSubject compares what was received with the title.
func checkSubject(t *testing.T, title, subject string, keeps int) {
	t.Helper()
	if utf8.RuneCountInString(title) <= 120 {
		if subject != title {
			t.Errorf("sent %q, received %q", title, subject)
		}
		return
	}
	begin, ok := strings.CutSuffix(subject, "…")
	if n := utf8.RuneCountInString(subject); !ok || !strings.HasPrefix(title, begin) || n > 120 || n < keeps {
		t.Errorf("%d characters of %q are received: %q", n, title, subject)
	}
	if whole := uniseg.GraphemeClusterCount(begin) + uniseg.GraphemeClusterCount(title[len(begin):]); whole != uniseg.GraphemeClusterCount(title) {
		t.Errorf("a character of %q is cut apart: %q", title, subject)
	}
}

var encodedWord = regexp.MustCompile(`=\?utf-8\?[bq]\?[^? ]+\?=`)

// checkSubjectLines looks at the field as it was received.
func checkSubjectLines(t *testing.T, to, message string) {
	t.Helper()
	at := strings.Index(message, "\r\nSubject: ")
	if at < 0 {
		t.Errorf("%s: no subject", to)
		return
	}
	field, decoder := message[at+2:], mime.WordDecoder{}
	for n := 0; n == 0 || strings.HasPrefix(field, " "); n++ {
		line, rest, _ := strings.Cut(field, "\r\n")
		field = rest
		if len(line) > 76 || strings.TrimSpace(line) == "" {
			t.Errorf("%s: a line of %d bytes: %q", to, len(line), line)
		}
		for _, c := range []byte(line) {
			if c < ' ' || c > '~' {
				t.Errorf("%s: byte %#x in %q", to, c, line)
			}
		}
		for _, word := range encodedWord.FindAllString(line, -1) {
			if text, err := decoder.Decode(word); err != nil || !utf8.ValidString(text) || len(word) > 75 {
				t.Errorf("%s: %q is no whole text: %q, %v", to, word, text, err)
			}
		}
	}
}
