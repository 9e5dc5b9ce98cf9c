package mail_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"tidings/internal/mail"
)

func pemOf(t testing.TB, kind string, der []byte, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func pkcs8(t testing.TB, key crypto.PrivateKey, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return pemOf(t, "PRIVATE KEY", der, err)
}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func verify(t testing.TB, s *mail.Signer, signed []byte) error {
	t.Helper()
	name, text := s.Record()
	found, err := dkim.VerifyWithOptions(bytes.NewReader(signed), &dkim.VerifyOptions{
		LookupTXT: func(domain string) ([]string, error) {
			if domain != name {
				t.Errorf("looked up %s, want %s", domain, name)
			}
			return []string{text}, nil
		},
	})
	if err != nil || len(found) != 1 {
		t.Fatalf("%d signatures, %v", len(found), err)
	}
	return found[0].Err
}

func TestSignaturesVerify(t *testing.T) {
	key := rsaKey(t, 2048)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	for name, text := range map[string][]byte{
		"RSA, PKCS #1": pemOf(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key), nil),
		"RSA, PKCS #8": pkcs8(t, key, nil),
		"Ed25519":      pkcs8(t, ed, err),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := mail.NewSigner("News.Example.org", "s2026a", text)
			if err != nil {
				t.Fatal(err)
			}
			raw := render(t, digest(), reader())
			signed, err := s.Sign(raw)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasSuffix(signed, raw) || !bytes.HasPrefix(signed, []byte("DKIM-Signature: ")) {
				t.Fatalf("not a signature in front of the message:\n%s", signed)
			}
			if err := verify(t, s, signed); err != nil {
				t.Error(err)
			}
			checkForgeries(t, s, signed)
		})
	}
}

// checkForgeries changes what a signature must protect.
func checkForgeries(t *testing.T, s *mail.Signer, signed []byte) {
	for what, forged := range map[string]string{
		"body":                strings.Replace(string(signed), "Hello.", "Hullo.", 1),
		"unsubscribe link":    strings.Replace(string(signed), "AAAA", "BBBB", 1),
		"one-click":           strings.Replace(string(signed), "List-Unsubscribe-Post:", "X-Post:", 1),
		"second From":         strings.Replace(string(signed), "\r\nTo:", "\r\nFrom: evil@example.org\r\nTo:", 1),
		"second Subject":      strings.Replace(string(signed), "\r\nTo:", "\r\nSubject: evil\r\nTo:", 1),
		"second unsubscribe":  strings.Replace(string(signed), "\r\nTo:", "\r\nList-Unsubscribe: <https://evil.example>\r\nTo:", 1),
		"other content type":  strings.Replace(string(signed), "\r\nContent-Type: multipart", "\r\nContent-Type: text", 1),
		"list identification": strings.Replace(string(signed), "<weekly.news", "<daily.news", 1),
	} {
		if forged == string(signed) {
			t.Errorf("%s: nothing was changed", what)
		}
		if verify(t, s, []byte(forged)) == nil {
			t.Errorf("%s: the signature still verifies", what)
		}
	}
}

func TestSignerIsSafeForConcurrentUse(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	s, err := mail.NewSigner("example.org", "s1", pkcs8(t, key, err))
	if err != nil {
		t.Fatal(err)
	}
	raw := render(t, digest(), reader())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			signed, err := s.Sign(raw)
			if err != nil {
				t.Error(err)
				return
			}
			if err := verify(t, s, signed); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestKeysThatCannotSign(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := rsaKey(t, 2048)
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	for name, c := range map[string]struct {
		text []byte
		want string
	}{
		"empty":      {nil, "openssl genrsa"},
		"not PEM":    {[]byte("secret"), "openssl genrsa"},
		"damaged":    {pemOf(t, "PRIVATE KEY", []byte("x"), nil), "PRIVATE KEY"},
		"public":     {pemOf(t, "PUBLIC KEY", public, err), "public key"},
		"passphrase": {pemOf(t, "ENCRYPTED PRIVATE KEY", []byte("x"), nil), "passphrase"},
		"elliptic":   {pkcs8(t, ec, nil), "RSA and Ed25519"},
		"weak":       {pkcs8(t, rsaKey(t, 768), nil), "768 bits"},
		"other":      {pemOf(t, "CERTIFICATE", []byte("x"), nil), "CERTIFICATE"},
	} {
		file := filepath.Join(t.TempDir(), "dkim.pem")
		if err := os.WriteFile(file, c.text, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := mail.OpenSigner("example.org", "s1", file)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v, want %q and the file", name, err, c.want)
		}
	}
	if _, err := mail.OpenSigner("example.org", "s1", filepath.Join(t.TempDir(), "none.pem")); err == nil || !strings.Contains(err.Error(), "none.pem") {
		t.Errorf("missing file: %v", err)
	}
}

func TestSignerNames(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	text := pkcs8(t, key, err)
	for _, c := range [][2]string{{"", "s1"}, {"example.org", ""}, {"exa mple.org", "s1"}, {"example.org", "s;d=x"}, {"example.org", "s\r\n"}} {
		if _, err := mail.NewSigner(c[0], c[1], text); err == nil {
			t.Errorf("domain %q, selector %q: accepted", c[0], c[1])
		}
	}
}
