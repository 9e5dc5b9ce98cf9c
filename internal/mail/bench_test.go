package mail_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"tidings/internal/mail"
)

// long is a digest of 30 KB.
func long() mail.Message {
	m := digest()
	m.Text += strings.Repeat("A line of plain text about a new post on the site, café.\n", 105)
	m.HTML += strings.Repeat(`<p style="margin:0">A paragraph about a <a href="https://example.org/p">post</a>, café.</p>`+"\n", 265)
	return m
}

func BenchmarkCompile(b *testing.B) {
	m := long()
	for b.Loop() {
		compile(b, m)
	}
}

func BenchmarkRender(b *testing.B) {
	t, r := compile(b, long()), reader()
	var buf []byte
	for b.Loop() {
		var err error
		if buf, err = t.Render(buf[:0], r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSign gives what a signature of ours takes beside what the key
// itself takes, and beside go-msgauth; all in turn, so that a noisy machine is
// noisy for each. "raw/op" is the share of the key in ours.
func BenchmarkSign(b *testing.B) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	raw := render(b, long(), reader())
	for _, c := range []struct {
		name string
		key  crypto.Signer
		opts crypto.SignerOpts
	}{{"RSA-2048", rsaKey(b, 2048), crypto.SHA256}, {"Ed25519", ed, crypto.Hash(0)}} {
		s := signer(b, "example.org", parsed(b, "s1", pkcs8(b, c.key, nil)))
		b.Run(c.name, func(b *testing.B) {
			var buf []byte
			var alone, other time.Duration
			digest := sha256.Sum256(raw)
			for b.Loop() {
				buf = append(buf[:0], raw...)
				if buf, err = s.Sign(buf); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				alone += took(b, func() error { _, err := c.key.Sign(nil, digest[:], c.opts); return err })
				other += took(b, func() error { return signWithMsgauth(io.Discard, raw, c.key) })
				b.StartTimer()
			}
			b.ReportMetric(float64(alone.Nanoseconds())/float64(b.N), "key-ns/op")
			b.ReportMetric(float64(other.Nanoseconds())/float64(b.N), "msgauth-ns/op")
			b.ReportMetric(float64(alone)/float64(b.Elapsed()), "raw/op")
		})
	}
}

func took(b *testing.B, do func() error) time.Duration {
	start := time.Now()
	if err := do(); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

func signWithMsgauth(w io.Writer, msg []byte, key crypto.Signer) error {
	return dkim.Sign(w, bytes.NewReader(msg), &dkim.SignOptions{
		Domain: "example.org", Selector: "s1", Signer: key,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	})
}
