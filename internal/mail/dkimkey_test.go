package mail_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
		"empty":      {nil, "config dkim --make"},
		"not PEM":    {[]byte("secret"), "config dkim --make"},
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
		_, err := mail.OpenKey("s1", file)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v, want %q and the file", name, err, c.want)
		}
	}
	if _, err := mail.OpenKey("s1", filepath.Join(t.TempDir(), "none.pem")); err == nil || !strings.Contains(err.Error(), "none.pem") {
		t.Errorf("missing file: %v", err)
	}
}

func TestSignerNames(t *testing.T) {
	text, err := mail.MakeKey(mail.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	for _, selector := range []string{"", "s;d=x", "s\r\n", "s s", "schlüssel"} {
		if _, err := mail.ParseKey(selector, text); err == nil {
			t.Errorf("selector %q: accepted", selector)
		}
	}
	key := parsed(t, "s1", text)
	for _, domain := range []string{"", "exa mple.org", "example.org;s=x"} {
		if _, err := mail.NewSigner(domain, key); err == nil {
			t.Errorf("domain %q: accepted", domain)
		}
	}
	for what, keys := range map[string][]mail.Key{"no key": nil, "one selector twice": {key, key}} {
		if _, err := mail.NewSigner("example.org", keys...); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}

func TestKindsOfKeys(t *testing.T) {
	for name, c := range map[string]struct {
		key             mail.Key
		universal, weak bool
	}{
		"RSA, 2048 bits": {made(t, "s1", mail.RSA), true, false},
		"RSA, 1024 bits": {parsed(t, "s1", pkcs8(t, rsaKey(t, 1024), nil)), true, true},
		"Ed25519":        {made(t, "s1", mail.Ed25519), false, false},
	} {
		if c.key.String() != name || c.key.Universal() != c.universal || c.key.Weak() != c.weak {
			t.Errorf("%s: %s, universal %t, weak %t", name, c.key, c.key.Universal(), c.key.Weak())
		}
	}
	if text, err := mail.MakeKey("dsa"); err == nil {
		t.Errorf("made a DSA key: %s", text)
	}
}
