package mail_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"strings"
	"testing"

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

func BenchmarkSign(b *testing.B) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	raw := render(b, long(), reader())
	for name, key := range map[string][]byte{"RSA-2048": pkcs8(b, rsaKey(b, 2048), nil), "Ed25519": pkcs8(b, ed, err)} {
		s, err := mail.NewSigner("example.org", "s1", key)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Sign(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
