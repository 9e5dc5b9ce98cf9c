package mail_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"tidings/internal/mail"
)

func parsed(t testing.TB, selector string, text []byte) mail.Key {
	t.Helper()
	k, err := mail.ParseKey(selector, text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func made(t testing.TB, selector, kind string) mail.Key {
	t.Helper()
	text, err := mail.MakeKey(kind)
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, selector, text)
}

func signer(t testing.TB, domain string, keys ...mail.Key) *mail.Signer {
	t.Helper()
	s, err := mail.NewSigner(domain, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sign(t testing.TB, s *mail.Signer, msg []byte) []byte {
	t.Helper()
	signed, err := s.Sign(bytes.Clone(msg))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasSuffix(signed, msg) || bytes.Count(signed[:len(signed)-len(msg)], []byte("DKIM-Signature: ")) != len(s.Records()) {
		t.Fatalf("not signatures in front of the message:\n%s", signed)
	}
	return signed
}

// verdicts asks go-msgauth about each signature of s, the first one first:
// nil, or what is wrong with it.
func verdicts(t interface {
	Helper()
	Fatalf(string, ...any)
}, s *mail.Signer, signed []byte) []error {
	t.Helper()
	found, err := dkim.VerifyWithOptions(bytes.NewReader(signed), &dkim.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) {
			for _, r := range s.Records() {
				if r.Name == name {
					return []string{r.Text}, nil
				}
			}
			return nil, fmt.Errorf("no record at %s", name)
		},
	})
	if err != nil || len(found) < len(s.Records()) {
		t.Fatalf("%d signatures, %v", len(found), err)
	}
	list := make([]error, len(s.Records()))
	for i := range list {
		list[i] = found[i].Err
	}
	return list
}

func checkSigned(t testing.TB, s *mail.Signer, signed []byte) {
	t.Helper()
	for i, err := range verdicts(t, s, signed) {
		if err != nil {
			t.Errorf("signature %d: %v\n%q", i+1, err, signed)
		}
	}
}

func TestSignaturesVerify(t *testing.T) {
	key := rsaKey(t, 2048)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	pkcs1 := parsed(t, "s2026a", pemOf(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key), nil))
	pkcs8RSA, pkcs8Ed := parsed(t, "s2026b", pkcs8(t, key, nil)), parsed(t, "s2026c", pkcs8(t, ed, err))
	for name, keys := range map[string][]mail.Key{
		"RSA, PKCS #1": {pkcs1},
		"RSA, PKCS #8": {pkcs8RSA},
		"Ed25519":      {pkcs8Ed},
		"both":         {pkcs8RSA, pkcs8Ed},
		"three":        {pkcs8Ed, pkcs1, pkcs8RSA},
	} {
		t.Run(name, func(t *testing.T) {
			s := signer(t, "News.Example.org", keys...)
			signed := sign(t, s, render(t, digest(), reader()))
			checkSigned(t, s, signed)
			checkForgeries(t, s, signed)
		})
	}
}

// checkForgeries changes what each signature must protect.
func checkForgeries(t *testing.T, s *mail.Signer, signed []byte) {
	forgeries := map[string]string{
		"body":                strings.Replace(string(signed), "Hello.", "Hullo.", 1),
		"more body":           string(signed) + "more\r\n",
		"unsubscribe link":    strings.Replace(string(signed), "AAAA", "BBBB", 1),
		"one-click":           strings.Replace(string(signed), "\r\nList-Unsubscribe-Post:", "\r\nX-Post:", 1),
		"other content type":  strings.Replace(string(signed), "\r\nContent-Type: multipart", "\r\nContent-Type: text", 1),
		"list identification": strings.Replace(string(signed), "<weekly.news", "<daily.news", 1),
	}
	for _, name := range []string{
		"From", "To", "Subject", "Date", "Message-ID", "Reply-To", "List-Unsubscribe", "List-Unsubscribe-Post",
		"MIME-Version", "Content-Type", "Content-Transfer-Encoding",
	} {
		forgeries["first "+name] = name + ": evil\r\n" + string(signed)
		forgeries["last "+name] = strings.Replace(string(signed), "\r\n\r\n", "\r\n"+name+": evil\r\n\r\n", 1)
	}
	for what, forged := range forgeries {
		if forged == string(signed) {
			t.Errorf("%s: nothing was changed", what)
		}
		for i, err := range verdicts(t, s, []byte(forged)) {
			if err == nil {
				t.Errorf("%s: signature %d still verifies", what, i+1)
			}
		}
	}
}

// TestWhatMayBeAddedOnTheWay holds that a mailing service's Feedback-ID, say,
// does not break a signature.
func TestWhatMayBeAddedOnTheWay(t *testing.T) {
	m := digest()
	m.Headers = nil
	s := signer(t, "example.org", made(t, "s1", mail.Ed25519))
	signed := sign(t, s, render(t, m, reader()))
	for _, field := range []string{"Received: from x by y; Mon, 2 Mar 2026 08:00:00 +0100", "Feedback-ID: 1:example", "List-Id: <x.example.org>", "DKIM-Signature: v=1"} {
		checkSigned(t, s, bytes.Replace(signed, []byte("\r\nTo:"), []byte("\r\n"+field+"\r\nTo:"), 1))
	}
}

// rfcKey is the private key of RFC 8463 Appendix A, known to everybody.
func rfcKey(t testing.TB) mail.Key {
	t.Helper()
	seed, err := base64.StdEncoding.DecodeString("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
	return parsed(t, "brisbane", pkcs8(t, ed25519.NewKeyFromSeed(seed), err))
}

// TestSignaturesStayTheSame holds the signed bytes of a mail, which must be
// the same in each process and at each time, to those of the day the file was
// written.
func TestSignaturesStayTheSame(t *testing.T) {
	s := signer(t, "football.example.com", rfcKey(t))
	if r := s.Records()[0]; r.Name != "brisbane._domainkey.football.example.com" || r.Text != "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" {
		t.Errorf("record %v, but RFC 8463 has another", r)
	}
	golden(t, "signed.eml", sign(t, s, render(t, digest(), reader())))
}

func TestSignaturesAreTheSameEachTime(t *testing.T) {
	key, raw := pkcs8(t, rsaKey(t, 2048), nil), render(t, digest(), reader())
	one := sign(t, signer(t, "example.org", parsed(t, "s1", key)), raw)
	two := sign(t, signer(t, "example.org", parsed(t, "s1", key)), raw)
	if !bytes.Equal(one, two) {
		t.Errorf("two signatures of one message:\n%s\n%s", one, two)
	}
}

func TestSignUsesTheMessagesMemory(t *testing.T) {
	s, raw := signer(t, "example.org", made(t, "s1", mail.Ed25519)), render(t, digest(), reader())
	buf := append(make([]byte, 0, len(raw)+4096), raw...)
	signed, err := s.Sign(buf)
	if err != nil || &signed[0] != &buf[0] {
		t.Errorf("other memory, though there was room (%v)", err)
	}
	if want := sign(t, s, raw); !bytes.Equal(signed, want) {
		t.Errorf("got\n%s\nwant\n%s", signed, want)
	}
}

// TestSignatureLines holds the signature to short lines, but for a domain
// that is longer itself.
func TestSignatureLines(t *testing.T) {
	raw := render(t, digest(), reader())
	rsa2048, ed := made(t, "s1", mail.RSA), made(t, strings.Repeat("s", 60), mail.Ed25519)
	for _, domain := range []string{"a.example", strings.Repeat("a.", 30) + "example", strings.Repeat("a.", 120) + "example"} {
		s := signer(t, domain, rsa2048, ed)
		signed := sign(t, s, raw)
		checkSigned(t, s, signed)
		for line := range strings.SplitSeq(string(signed[:len(signed)-len(raw)]), "\r\n") {
			if len(line) > max(76, len(" d=;")+len(domain)) || strings.HasSuffix(line, " ") {
				t.Errorf("line of %d characters: %q", len(line), line)
			}
		}
	}
}

func TestSignRefuses(t *testing.T) {
	s := signer(t, "example.org", made(t, "s1", mail.Ed25519))
	for what, msg := range map[string]string{
		"nothing":              "",
		"no From":              "To: ann@example.com\r\n\r\nbody\r\n",
		"no header":            "\r\nFrom: a@example.org\r\n\r\nbody\r\n",
		"no end of header":     "From: a@example.org\r\n",
		"LF":                   "From: a@example.org\n\nbody\n",
		"LF in the body":       "From: a@example.org\r\n\r\nbody\nmore\r\n",
		"CR in the body":       "From: a@example.org\r\n\r\nbody\rmore\r\n",
		"CR at the end":        "From: a@example.org\r\n\r\nbody\r\n\r",
		"CR before CRLF":       "From: a@example.org\r\r\n\r\nbody\r\n",
		"LF first":             "\nFrom: a@example.org\r\n\r\nbody\r\n",
		"line without colon":   "From: a@example.org\r\nhello\r\n\r\nbody\r\n",
		"no name":              "From: a@example.org\r\n: x\r\n\r\nbody\r\n",
		"name with a blank":    "From: a@example.org\r\nX Y: z\r\n\r\nbody\r\n",
		"name that is no name": "From: a@example.org\r\nSub\u017fect: z\r\n\r\nbody\r\n",
	} {
		msg := []byte(msg)
		if signed, err := s.Sign(bytes.Clone(msg)); err == nil || signed != nil || !strings.Contains(err.Error(), "example.org") {
			t.Errorf("%s: signed as %q (%v)", what, signed, err)
		}
	}
}

func TestSignerIsSafeForConcurrentUse(t *testing.T) {
	s, raw := signer(t, "example.org", made(t, "s1", mail.RSA), made(t, "s2", mail.Ed25519)), render(t, digest(), reader())
	var wg sync.WaitGroup
	for i := range 4 {
		own := bytes.Replace(raw, []byte("Hello."), fmt.Appendf(nil, "Hello %d.", i), 1)
		wg.Go(func() {
			for range 5 {
				signed, err := s.Sign(bytes.Clone(own))
				if err != nil {
					t.Error(err)
					return
				}
				checkSigned(t, s, signed)
			}
		})
	}
	wg.Wait()
}

// FuzzSign holds that what is signed verifies; TestSignRefuses has the rest.
func FuzzSign(f *testing.F) {
	f.Add(string(render(f, digest(), reader())))
	for _, s := range []string{
		"From: a@example.org\r\n\r\n",
		"from \t: \t a@example.org\r\n\t \r\nFROM:\r\n\r\n a \r\n\r\n\r\n",
		"From: a@example.org\r\nList-Id: <a.b>\r\nList-Id: <c.d>\r\nTo: x\r\nTo: y\r\n\r\n\tb  c\t\r\n\r\nd",
		"From: \xff\u00e9\u2028\r\nX: \x00\v\f\u0085\u00a0\r\nDKIM-Signature: v=1; a=x\r\n\r\n\x00\v \f\r\n\v",
	} {
		f.Add(s)
	}
	s := signer(f, "example.org", rfcKey(f), made(f, "s2", mail.RSA))
	f.Fuzz(func(t *testing.T, text string) {
		msg := []byte(text)
		signed, err := s.Sign(bytes.Clone(msg))
		if err != nil {
			return
		}
		if !bytes.HasSuffix(signed, msg) {
			t.Fatalf("%q became %q", msg, signed)
		}
		checkSigned(t, s, signed)
	})
}
