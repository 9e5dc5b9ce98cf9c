package mail

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"golang.org/x/net/idna"
)

// Sizes of RSA keys (RFC 8301 §3.2): receivers ignore those below the first,
// and signers should not use less than the second.
const (
	minRSABits  = 1024
	goodRSABits = 2048
)

// A Key makes DKIM signatures. Its selector is the name under which receivers
// find its public half in DNS, before ._domainkey and the domain.
type Key struct {
	selector  string
	private   crypto.Signer
	algorithm string            // the a= tag
	opts      crypto.SignerOpts // how private is handed the SHA-256 of the header
}

// OpenKey reads a private key from a file.
func OpenKey(selector, file string) (Key, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Key{}, fmt.Errorf("DKIM key: %w", err)
	}
	k, err := ParseKey(selector, text)
	if err != nil {
		return Key{}, fmt.Errorf("DKIM key file %s: %w", file, err)
	}
	return k, nil
}

// ParseKey reads a private key in PEM: RSA (PKCS #1 or #8) or Ed25519 (PKCS #8).
func ParseKey(selector string, text []byte) (Key, error) {
	if _, err := idna.Lookup.ToASCII(selector); err != nil || selector == "" || !isASCII(selector) {
		return Key{}, fmt.Errorf("selector %q is not the name under which the key stands in DNS, before ._domainkey", selector)
	}
	private, err := parsePEM(text)
	if err != nil {
		return Key{}, err
	}
	return usableKey(selector, private)
}

const howToMakeKey = "make one with: tidings config dkim --make dkim.pem"

func parsePEM(text []byte) (key any, err error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no private key in PEM format; " + howToMakeKey)
	}
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "PUBLIC KEY", "RSA PUBLIC KEY":
		return nil, errors.New("this is the public key, which goes into DNS; the private one is needed here")
	case "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("the key has a passphrase; write it without: openssl pkey -in KEY -out dkim.pem")
	default:
		return nil, fmt.Errorf("%q is not a private key; %s", block.Type, howToMakeKey)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w; %s", block.Type, err, howToMakeKey)
	}
	return key, nil
}

func usableKey(selector string, private any) (Key, error) {
	switch k := private.(type) {
	case *rsa.PrivateKey:
		if k.N.BitLen() < minRSABits {
			return Key{}, fmt.Errorf("RSA key of %d bits; receivers ignore keys below %d; %s", k.N.BitLen(), minRSABits, howToMakeKey)
		}
		return Key{selector, k, "rsa-sha256", crypto.SHA256}, nil
	case ed25519.PrivateKey:
		return Key{selector, k, "ed25519-sha256", crypto.Hash(0)}, nil // signs the hash as it is (RFC 8463 §3)
	}
	return Key{}, fmt.Errorf("%T cannot sign mail, only RSA and Ed25519 can; %s", private, howToMakeKey)
}

// String gives kind and size, such as "RSA, 2048 bits".
func (k Key) String() string {
	if public, ok := k.private.Public().(*rsa.PublicKey); ok {
		return fmt.Sprintf("RSA, %d bits", public.N.BitLen())
	}
	return "Ed25519"
}

// Universal reports whether every receiver can be expected to verify what the
// key signs, which cannot be said of Ed25519.
func (k Key) Universal() bool { return k.algorithm == "rsa-sha256" }

// Weak reports whether the key is smaller than it should be.
func (k Key) Weak() bool {
	public, ok := k.private.Public().(*rsa.PublicKey)
	return ok && public.N.BitLen() < goodRSABits
}

// record gives the text of the DNS record (RFC 6376 §3.6.1, RFC 8463 §4).
func (k Key) record() string {
	if public, ok := k.private.Public().(ed25519.PublicKey); ok {
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
	}
	public, err := x509.MarshalPKIXPublicKey(k.private.Public())
	if err != nil {
		panic(err) // an RSA key, which usableKey let through
	}
	return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(public)
}

// The kinds of keys that MakeKey makes.
const (
	RSA     = "rsa" // 2048 bits
	Ed25519 = "ed25519"
)

// MakeKey makes a private key, in PEM.
func MakeKey(kind string) ([]byte, error) {
	var key any
	var err error
	switch kind {
	case RSA:
		key, err = rsa.GenerateKey(rand.Reader, goodRSABits)
	case Ed25519:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		return nil, fmt.Errorf("DKIM key: %q is not a kind of key; there are %s and %s", kind, RSA, Ed25519)
	}
	if err != nil {
		return nil, fmt.Errorf("make a DKIM key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make a DKIM key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
