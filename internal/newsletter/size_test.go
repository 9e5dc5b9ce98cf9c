package newsletter_test

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"tidings/internal/mail"
	"tidings/internal/newsletter"
	"tidings/internal/relay"
	"tidings/internal/relay/relaytest"
	"tidings/internal/store"
)

// Whatever the posts, what the mail server gets stays below 80 kB, with its
// header, two signatures and long addresses; and none of the posts is left out
// uncounted.
func TestSizeAsSent(t *testing.T) {
	if testing.Short() {
		t.Skip("composes large mails")
	}
	scripts := map[string]string{
		"Latin":    "How to build a raised bed from timber, soil and an afternoon, and what to grow in it ",
		"Japanese": "木材と土と午後のひとときで高床の花壇を作る方法とそこで育てる野菜について",
		"Arabic":   "كيف تبني حوضاً مرتفعاً من الخشب والتربة في ساعة من بعد الظهر وماذا تزرع فيه ",
	}
	for name, words := range scripts {
		for _, long := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, long titles %t", name, long), func(t *testing.T) {
				for _, msg := range sentOf(t, words, long) {
					checkSize(t, msg, 300)
				}
			})
		}
	}
}

// sentOf gives what a mail server gets of an edition of 300 posts.
func sentOf(t *testing.T, words string, long bool) (messages [][]byte) {
	n := weekly()
	n.PostalAddress = strings.Repeat("A very long line of an address\n", 10)
	n.From = fmt.Sprintf("%q <news@newsletters.organisation.example.org>", strings.Repeat(words, 3)[:90])
	h := newHouse(t, n)
	h.ReturnPath = "bounce@newsletters.organisation.example.org"
	h.Site.BaseURL = &url.URL{Scheme: "https", Host: "newsletters.a-very-long-organisation.example.org", Path: "/" + strings.Repeat("news/", 12)}
	reader := h.readers(1, "")
	for i := range 300 {
		title := fmt.Sprint(i, " ", words)
		if long {
			title = fmt.Sprint(i, " ", strings.Repeat(words, 8))
		}
		e := h.publish(title, time.Now().Add(-time.Duration(i)*time.Millisecond), words)
		e.URL = fmt.Sprintf("https://example.org/posts/a-slug-of-the-usual-length-for-a-post-%d/", i)
	}
	p := h.plan(n)
	srv := relaytest.Start(t, relaytest.Options{})
	out, err := relay.NewSMTP(relay.SMTPConfig{Host: "127.0.0.1", Port: srv.Port(), TLS: "none"})
	if err != nil {
		t.Fatal(err)
	}
	c := newsletter.SenderConfig{Connections: 1, RetryBase: time.Second, JournalDir: h.dir + "/senders"}
	h.run(newsletter.NewSender(h.Service, c, out, twoSignatures(t).Sign, nil), h.finished(p.Edition.ID))
	if e := h.edition(p.Edition.ID); e.Counts.Sent != 1 || e.Status != store.EditionFinished {
		t.Fatalf("%s got nothing: %+v", reader, e.Counts)
	}
	for _, m := range srv.Messages() {
		messages = append(messages, m.Data)
	}
	return messages
}

func twoSignatures(t *testing.T) *mail.Signer {
	t.Helper()
	var keys []mail.Key
	for _, kind := range []string{"rsa", "ed25519"} {
		text, err := mail.MakeKey(kind)
		if err != nil {
			t.Fatal(err)
		}
		k, err := mail.ParseKey("a-rather-long-selector-of-"+kind, text)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	s, err := mail.NewSigner("newsletters.organisation.example.org", keys...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func checkSize(t *testing.T, msg []byte, posts int) {
	t.Helper()
	if bytes.Count(msg[:bytes.Index(msg, []byte("\r\n\r\n"))], []byte("DKIM-Signature:")) != 2 {
		t.Error("the mail is not signed twice")
	}
	m, err := mail.Read(msg)
	if err != nil {
		t.Fatal(err)
	}
	shown, more := strings.Count(m.Text, "\nhttps://example.org/"), 0
	if at := strings.Index(m.Text, "\nAnd "); at >= 0 {
		if _, err := fmt.Sscanf(m.Text[at+1:], "And %d more", &more); err != nil {
			t.Error(err)
		}
	}
	shown -= strings.Count(m.Text, "\nhttps://example.org\n") // the site itself
	t.Logf("%d bytes, %d posts shown, %d counted", len(msg), shown, more)
	if len(msg) >= 80_000 {
		t.Errorf("%d bytes as sent", len(msg))
	}
	if len(msg) < 70_000 {
		t.Errorf("%d bytes as sent: there would be room for more of the posts", len(msg))
	}
	if shown+more != posts || shown < 15 {
		t.Errorf("%d shown and %d counted of %d posts", shown, more, posts)
	}
}
