package mail

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/emersion/go-msgauth/dkim"
	"golang.org/x/net/idna"
)

// signedFields is the h= tag. Fields listed once more than they appear cannot
// be added later without breaking the signature (RFC 6376 §5.4.2); RFC 8058
// §4 wants the two fields of one-click unsubscription covered.
var signedFields = [...]string{
	"from", "from", "to", "to", "subject", "subject", "date", "date",
	"message-id", "message-id", "reply-to", "reply-to",
	"list-unsubscribe", "list-unsubscribe", "list-unsubscribe-post", "list-unsubscribe-post",
	"list-id", "feedback-id", "mime-version", "content-type", "content-transfer-encoding",
}

const minRSABits = 1024 // RFC 8301 §3.2; receivers ignore weaker keys

// A Signer adds DKIM signatures (RFC 6376). It is safe for concurrent use.
type Signer struct {
	domain, selector string
	key              crypto.Signer
}

// OpenSigner makes a Signer with the private key in a file.
func OpenSigner(domain, selector, keyFile string) (*Signer, error) {
	text, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, fmt.Errorf("DKIM key: %w", err)
	}
	s, err := NewSigner(domain, selector, text)
	if err != nil {
		return nil, fmt.Errorf("DKIM key file %s: %w", keyFile, err)
	}
	return s, nil
}

// NewSigner makes a Signer with a private key in PEM: RSA (PKCS #1 or #8) or
// Ed25519 (PKCS #8).
func NewSigner(domain, selector string, key []byte) (*Signer, error) {
	ascii, err := asciiDomain(domain)
	if err != nil {
		return nil, fmt.Errorf("DKIM: %w", err)
	}
	if _, err := idna.Lookup.ToASCII(selector); err != nil || selector == "" || !isASCII(selector) {
		return nil, fmt.Errorf("DKIM: selector %q is not the name under which the key stands in DNS, before ._domainkey.%s", selector, ascii)
	}
	private, err := parseKey(key)
	if err != nil {
		return nil, err
	}
	return &Signer{domain: ascii, selector: selector, key: private}, nil
}

const howToMakeKey = "make one with: openssl genrsa -out dkim.pem 2048"

func parseKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no private key in PEM format; " + howToMakeKey)
	}
	var key any
	var err error
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
	return usableKey(key)
}

func usableKey(key any) (crypto.Signer, error) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if k.N.BitLen() < minRSABits {
			return nil, fmt.Errorf("RSA key of %d bits; receivers ignore keys below %d; %s", k.N.BitLen(), minRSABits, howToMakeKey)
		}
		return k, nil
	case ed25519.PrivateKey:
		return k, nil
	}
	return nil, fmt.Errorf("%T cannot sign mail, only RSA and Ed25519 can; %s", key, howToMakeKey)
}

// Sign gives msg with a signature in front, relaxed in headers and body.
func (s *Signer) Sign(msg []byte) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(len(msg) + 1024)
	err := dkim.Sign(&out, bytes.NewReader(msg), &dkim.SignOptions{
		Domain:                 s.domain,
		Selector:               s.selector,
		Signer:                 s.key,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed,
		BodyCanonicalization:   dkim.CanonicalizationRelaxed,
		HeaderKeys:             signedFields[:],
	})
	if err != nil {
		return nil, fmt.Errorf("DKIM sign for %s: %w", s.domain, err)
	}
	return out.Bytes(), nil
}

// Record gives the DNS name and the TXT record that let receivers verify.
func (s *Signer) Record() (name, text string) {
	name = s.selector + "._domainkey." + s.domain
	if public, ok := s.key.Public().(ed25519.PublicKey); ok {
		return name, "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public) // RFC 8463 §4.2
	}
	public, err := x509.MarshalPKIXPublicKey(s.key.Public())
	if err != nil {
		panic(err) // an RSA key, which usableKey let through
	}
	return name, "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(public)
}
