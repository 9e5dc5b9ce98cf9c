package bounce_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tidings/internal/bounce"
)

func parse(t testing.TB, message string) bounce.Report {
	t.Helper()
	r, err := bounce.Parse(strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// dsn is a report with some groups of fields.
func dsn(groups ...string) string {
	return "From: x@y.example\n" + statusPart("b", groups...)
}

func statusPart(boundary string, groups ...string) string {
	return fmt.Sprintf("Content-Type: multipart/report; report-type=delivery-status; boundary=%s\n\n--%s\nContent-Type: message/delivery-status\n\n%s\n--%s--\n",
		boundary, boundary, strings.Join(groups, "\n\n"), boundary)
}

const (
	hard    = "Final-Recipient: rfc822; ann@example.com\nAction: failed\nStatus: 5.1.1"
	full    = "Final-Recipient: rfc822; bob@example.com\nAction: failed\nStatus: 5.2.2"
	relayed = "Final-Recipient: rfc822; cem@example.com\nAction: relayed\nStatus: 2.1.9"
)

func TestFor(t *testing.T) {
	list := "Original-Recipient: rfc822; list@example.com\n"
	for name, c := range map[string]struct {
		groups  []string
		address string
		want    string
	}{
		"the only one":                {[]string{hard}, "ann@example.com", "failed 5.1.1"},
		"one of several":              {[]string{relayed, full, hard}, "Ann@Example.com", "failed 5.1.1"},
		"forwarded":                   {[]string{hard}, "list@example.com", "failed 5.1.1"},
		"some of a list":              {[]string{list + hard, list + relayed}, "list@example.com", "relayed "},
		"all of a list, not all hard": {[]string{list + hard, list + full}, "list@example.com", "failed 5.2.2"},
		"nobody known":                {[]string{hard, full}, "x@example.com", "failed 5.2.2"},
		"before the one in the list":  {[]string{"Original-Recipient: rfc822; ann@example.com\n" + full, hard}, "ann@example.com", "failed 5.2.2"},
	} {
		if got := parse(t, dsn(c.groups...)).For(c.address); got.Action+" "+got.Status != c.want {
			t.Errorf("%s: %+v, want %s", name, got, c.want)
		}
	}
	if got := (bounce.Report{}).For("x@example.com"); got.GivenUp() {
		t.Errorf("an empty report: %+v", got)
	}
}

func TestActions(t *testing.T) {
	for action, failed := range map[string]bool{
		"failed": true, "Failed": true, "failed (bounced)": true, "failure": true, "delayed": false, "delivered": false, "relayed": false, "expanded": false, "odd": false,
	} {
		r := parse(t, dsn("Final-Recipient: rfc822;a@example.com\nStatus: 5.1.1\nAction: "+action))
		if got := r.For("a@example.com").GivenUp(); got != failed {
			t.Errorf("%s: failed = %v", action, got)
		}
	}
	if !parse(t, dsn("Final-Recipient: rfc822;a@example.com\nStatus: 5.1.1")).For("").GivenUp() {
		t.Error("a permanent status without an action did not fail")
	}
	if parse(t, dsn("Final-Recipient: rfc822;a@example.com\nStatus: 4.1.1")).For("").GivenUp() {
		t.Error("a temporary status without an action failed")
	}
}

func TestTheLastOfManyCounts(t *testing.T) {
	groups := slices.Repeat([]string{full}, 3000)
	if got := parse(t, dsn(append(groups, hard)...)).For("ann@example.com"); !got.GivenUp() || got.Class() != bounce.Hard {
		t.Errorf("%+v", got)
	}
}

// TestRecipientClass reads the class off groups whose fields say more than one
// thing.
func TestRecipientClass(t *testing.T) {
	const refused = "Final-Recipient: rfc822; ann@example.com\nAction: failed\n"
	for name, c := range map[string]struct {
		message string
		want    bounce.Class
	}{
		"a second diagnostic":     {dsn(refused + "Status: 5.1.1\nDiagnostic-Code: smtp; 550-5.1.1 no such user\nDiagnostic-Code: smtp; 550 5.7.1 policy"), bounce.Block},
		"two codes in the status": {dsn(refused + "Status: 5.1.1 5.7.1"), bounce.Block},
		"a second status":         {dsn(refused + "Status: 5.1.1\nStatus: 5.7.1"), bounce.Block},
		"on the 14th line":        {dsn(refused + "Status: 5.1.1\nDiagnostic-Code: smtp; " + strings.Repeat("550-5.1.1 no such user\n ", 13) + "550 5.7.1 x"), bounce.Block},
		"after 9,000 letters":     {dsn(refused + "Status: 5.1.1\nDiagnostic-Code: smtp; 550 " + strings.Repeat("y", 9000) + " 5.7.1"), bounce.Block},
		"for people alone":        {withText("text/plain", "refused: 550 5.7.1 <ann@example.com>"), bounce.Block},
		"for people, as a page":   {withText("text/html", "<p>refused:<b>5.7.1</b>"), bounce.Block},
		"in the copy":             {withText("text/plain", "gone\n--- Below is a copy of the mail\n5.7.1 ways to mail"), bounce.Hard},
		"failed with success":     {dsn(refused + "Status: 2.0.0\nDiagnostic-Code: smtp; 550 user unknown"), bounce.Soft},
		"failed for now":          {dsn(refused + "Status: 4.1.1\nDiagnostic-Code: smtp; 550 user unknown"), bounce.Soft},
		"simply gone":             {dsn(hard), bounce.Hard},
	} {
		if got := parse(t, c.message).For("ann@example.com"); !got.GivenUp() || got.Class() != c.want {
			t.Errorf("%s: %s, want %s: %+v", name, got.Class(), c.want, got)
		}
	}
}

// withText is a report of the recipient hard with a part for people.
func withText(kind, text string) string {
	return "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: " + kind + "\n\n" + text + "\n--o\n" + statusPart("b", hard) + "--o--\n"
}

// TestActionsInWords reads reports of a mail system that have no part for
// programs.
func TestActionsInWords(t *testing.T) {
	for _, c := range []struct{ subject, text, want string }{
		{"Undelivered Mail Returned to Sender", "", bounce.Failed},
		{"Successful Mail Delivery Report", "You may still receive notifications of mail delivery errors.", bounce.Delivered},
		{"Delivered: Three posts", "", bounce.Delivered},
		{"Delivery report", "Delivery to these recipients is complete, but no notification was sent by the destination server.", bounce.Delivered},
		{"Delivery report", "Your mail has been delivered. This is not an error.", bounce.Delivered},
		{"Delivery report", "Your mail was not successfully delivered.", bounce.Failed},
		{"Delivery report", "550 5.1.1 user unknown. Transaction complete.", bounce.Failed},
		{"Delivery unsuccessful", "", bounce.Failed},
		{"Undeliverable: Success at last", "", bounce.Failed},
		{"Undeliverable: Trains and their delay", "", bounce.Failed},
		{"Delivery delayed: Three posts", "", bounce.Delayed},
		{"Zustellung verzögert", "", bounce.Delayed},
		{"Delivery Status Notification (Delay)", "", bounce.Delayed},
		{"Delivery Status Notification (Retard)", "", bounce.Delayed},
		{"Warning: could not send message for past 4 hours", "", bounce.Delayed},
		{"Delivery Status Notification (Failure)", "", bounce.Failed},
		{"x", "Delivery attempts will continue to be made for 4 days.", bounce.Delayed},
	} {
		for _, report := range []string{"", "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n"} {
			r := parse(t, "From: MAILER-DAEMON@mx.example.com\nSubject: "+c.subject+"\n"+report+"\n"+c.text+"\n")
			if got := r.For(""); r.Kind != bounce.FreeText || got.Action != c.want {
				t.Errorf("%q, %q: %s: %+v, want %s", c.subject, c.text, r.Kind, got, c.want)
			}
		}
	}
}

// TestLinesThatAreNoFields holds that they spoil nothing else, and that what
// is said of them steers no terminal.
func TestLinesThatAreNoFields(t *testing.T) {
	good := "To: bounce@news.example.org\n" + dsn(hard)
	for name, message := range map[string]string{
		"a bare word":    strings.Replace(good, "From:", "oops\nFrom:", 1),
		"the first line": "\tlost\n more\n" + good,
		"an odd name":    strings.Replace(good, "From:", "Odd Name \xff: x\n y\nFrom:", 1),
		"in a part":      strings.Replace(good, "Content-Type: message/", "oops\nContent-Type: message/", 1),
		"mbox":           ">From x Mon Mar 2 08:00:02\n" + good,
	} {
		if r := parse(t, message); r.Kind != bounce.DSN || len(r.To) != 1 || r.For("").Class() != bounce.Hard {
			t.Errorf("%s: %+v", name, r)
		}
	}
	for _, message := range []string{"\x1b[2J\n\n", "\x1b[2J: x\n\n", "X: \x1b[2J" + strings.Repeat("y", 200<<10)} {
		if _, err := bounce.Parse(strings.NewReader(message)); !errors.Is(err, bounce.ErrMalformed) || strings.ContainsAny(err.Error(), "\x1b\n") {
			t.Errorf("%.20q: %v", message, err)
		}
	}
}

func TestForeignWordsAreLegible(t *testing.T) {
	r := parse(t, dsn("Final-Recipient: rfc822;a@example.com\nAction: failed\nStatus: 5.1.1; \x1b[2J\nDiagnostic-Code: smtp; 550 \x1b[31mred\x07\n  \xff more "+strings.Repeat("y", 9000)))
	x := r.For("")
	if x.Status != "5.1.1" || !strings.HasPrefix(x.Diagnostic, "550 [31mred \uFFFD more yyy") || len(x.Diagnostic) > 4096 {
		t.Errorf("%+v", x)
	}
}

// TestBounds holds that hostile messages are read up to the bounds only.
func TestBounds(t *testing.T) {
	nested := func(depth int) string {
		m := statusPart("inner", hard)
		for i := range depth {
			m = fmt.Sprintf("Content-Type: multipart/mixed; boundary=d%d\n\n--d%d\n%s\n--d%d--\n", i, i, m, i)
		}
		return "From: x@y.example\n" + m
	}
	behind := func(parts int) string {
		return "Content-Type: multipart/mixed; boundary=o\n\n" + strings.Repeat("--o\n\nx\n", parts) + "--o\n" + statusPart("b", hard) + "--o--\n"
	}
	for name, c := range map[string]struct {
		message string
		want    bounce.Kind
	}{
		"as deep as it may be": {nested(8), bounce.DSN},
		"too deep":             {nested(12), bounce.Other},
		"far too deep":         {nested(2000), bounce.Other},
		"many parts":           {behind(90), bounce.DSN},
		"too many parts":       {behind(120), bounce.Other},
		"behind a megabyte":    {behind(1) + strings.Repeat("x", bounce.MaxSize), bounce.DSN},
		"after a megabyte":     {"Content-Type: multipart/mixed; boundary=o\n\n--o\n\n" + strings.Repeat("x\n", bounce.MaxSize/2) + "--o\n" + statusPart("b", hard), bounce.Other},
		"many recipients":      {dsn(strings.Repeat(hard+"\n\n", 12_000)), bounce.DSN},
		"tiny recipients":      {dsn(strings.Repeat("Action:\n\nAction:failed\n\n", 40_000)), bounce.DSN},
		"long lines":           {dsn(hard+"\nDiagnostic-Code: smtp;"+strings.Repeat("y", 30<<10), full), bounce.DSN},
		"no boundary":          {"Content-Type: multipart/report; report-type=delivery-status\n\nx", bounce.FreeText},
	} {
		r := parse(t, c.message)
		if r.Kind != c.want {
			t.Errorf("%s: %s, want %s", name, r.Kind, c.want)
		}
		if len(r.Recipients) > 10_001 {
			t.Errorf("%s: %d recipients", name, len(r.Recipients))
		}
	}
	for name, message := range map[string]string{
		"no header": "hello\n", "a huge header": "X: " + strings.Repeat("y", 200<<10) + "\n\n",
	} {
		if r, err := bounce.Parse(strings.NewReader(message)); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/messages/*.eml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no messages: %v", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(raw))
	}
	f.Add(dsn(hard, full, relayed))
	f.Fuzz(func(t *testing.T, message string) {
		r, err := bounce.Parse(strings.NewReader(message))
		if err != nil {
			return
		}
		if (r.Kind == bounce.DSN || r.Kind == bounce.FreeText) != (len(r.Recipients) > 0) && r.Kind != bounce.Complaint {
			t.Errorf("%s with recipients %+v", r.Kind, r.Recipients)
		}
		r.For("ann@example.com").Class()
	})
}

func FuzzClassify(f *testing.F) {
	f.Add("5.1.1", "550 5.1.1 user unknown")
	f.Add("", "#5.7.1")
	f.Fuzz(func(t *testing.T, status, words string) {
		c := bounce.Classify(status, words)
		if c == bounce.Hard && len(status) > 3 && status[1:4] == ".7." && !strings.Contains(status, "/") {
			t.Errorf("%q %q is hard", status, words)
		}
	})
}
