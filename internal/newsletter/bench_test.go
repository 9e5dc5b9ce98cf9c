package newsletter_test

import (
	"fmt"
	"testing"
	"time"

	"tidings/internal/relay"
	"tidings/internal/relay/relaytest"
)

// BenchmarkSend takes an edition of 5,000 readers through the whole loop:
// claim, render, SMTP on loopback, journal, record.
func BenchmarkSend(b *testing.B) {
	const people = 5000
	for b.Loop() {
		b.StopTimer()
		h := newHouse(b, weekly())
		server := relaytest.Start(b, relaytest.Options{Discard: true})
		smtp, err := relay.NewSMTP(relay.SMTPConfig{Host: "127.0.0.1", Port: server.Port(), TLS: relay.NoTLS})
		if err != nil {
			b.Fatal(err)
		}
		h.readers(people, "")
		for i := range 11 {
			h.publish(fmt.Sprint("post ", i), time.Now())
		}
		p := h.plan(weekly())
		b.StartTimer()
		h.run(h.sender(smtp), h.finished(p.Edition.ID))
	}
	b.ReportMetric(float64(people*b.N)/b.Elapsed().Seconds(), "mails/s")
}
