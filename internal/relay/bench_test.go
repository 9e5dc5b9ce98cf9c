package relay_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tidings/internal/mail"
	"tidings/internal/relay"
	"tidings/internal/relay/relaytest"
)

// A digest of 30 KB: 6 KB of text and 24 KB of HTML.
var (
	benchText = strings.Repeat("A line of plain text about a new post on the site, café.\n", 105)
	benchHTML = strings.Repeat(`<p style="margin:0">A paragraph about a <a href="https://example.org/p">post</a>, café.</p>`+"\n", 265)
)

// spread lets n goroutines do b.N rounds together and reports the rate.
func spread(b *testing.B, n int, work func(next func() bool) error) {
	b.Helper()
	var round atomic.Int64
	next := func() bool { return round.Add(1) <= int64(b.N) }
	b.ResetTimer()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if err := work(next); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
}

// BenchmarkRenderAndSend fills a template and sends it, which is what each
// reader of an edition costs apart from the signature and the database.
func BenchmarkRenderAndSend(b *testing.B) {
	nonce := mail.NewNonce()
	link := "https://example.org/unsubscribe/" + mail.Mark(nonce, "token") + "\n"
	template, err := mail.Compile(mail.Message{
		From: "News <news@example.org>", Subject: "Ten new posts", Date: time.Unix(0, 0),
		Text: benchText + link, HTML: benchHTML + link, Nonce: nonce,
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{1, 4, 8} {
		b.Run(fmt.Sprintf("conns=%d", n), func(b *testing.B) {
			s := relaytest.Start(b, relaytest.Options{Discard: true})
			spread(b, n, func(next func() bool) error {
				c := connect(b, s, relay.SMTPConfig{})
				var buf []byte
				for next() {
					msg, err := template.Render(buf[:0], mail.Recipient{
						To: "ann@example.com", MessageID: "1@example.org", Slots: map[string]string{"token": "AAAABBBBCCCCDDDD"},
					})
					if err != nil {
						return err
					}
					if _, err := c.Send(b.Context(), envelope, msg, nil); err != nil {
						return err
					}
					buf = msg
				}
				return nil
			})
		})
	}
}
