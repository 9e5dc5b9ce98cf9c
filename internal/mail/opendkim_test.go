package mail_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/mail"
)

// TestOpenDKIMVerifies asks the verifier that most mail servers use, without
// the network.
func TestOpenDKIMVerifies(t *testing.T) {
	program, err := exec.LookPath("opendkim")
	if err != nil {
		t.Skip("no opendkim: install Debian's package of that name")
	}
	s := signer(t, "news.example.org", made(t, "s2026", mail.RSA), made(t, "s2026e", mail.Ed25519))
	conf := openDKIM(t, s)
	textOnly := digest()
	textOnly.HTML, textOnly.Subject = "", "Grüße, und ein Betreff, der so lang ist, dass er über mehrere Zeilen geht"
	confirm := mail.Message{From: "news@news.example.org", Subject: "Confirm", Date: date, Text: "One line"}
	for name, msg := range map[string][]byte{
		"digest":  render(t, digest(), reader()),
		"long":    render(t, long(), reader()),
		"text":    render(t, textOnly, reader()),
		"confirm": render(t, confirm, mail.Recipient{To: "ann@example.com", MessageID: "c1@localhost"}),
		"blanks": []byte("fRoM: \t a@news.example.org\r\nSubject:  a \t b\r\n\t c \r\nTo: x@example.com,\r\n\ty@example.com\r\nX: y\r\n\r\n" +
			"\r\n\ta  b \t\r\n  \r\n\r\nc\r\n \t\r\n\r\n"),
		"no body":   []byte("From: a@news.example.org\r\nDate: Mon, 02 Mar 2026 08:00:00 +0100\r\n\r\n"),
		"twice":     []byte("From: a@news.example.org\r\nList-Id: <a.b>\r\nlist-ID: <c.d>\r\n\r\nbody\r\n"),
		"many dots": []byte("From: a@news.example.org\r\n\r\n.\r\n..\r\n . \r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			signed := sign(t, s, msg)
			want := map[string]string{"s2026": "pass", "s2026e": "pass"}
			if diff := cmp.Diff(want, askOpenDKIM(t, program, conf, signed)); diff != "" {
				t.Errorf("-want +got:\n%s%s", diff, signed)
			}
			forged := append([]byte("Subject: evil\r\n"), signed...)
			want = map[string]string{"s2026": "fail", "s2026e": "fail"}
			if diff := cmp.Diff(want, askOpenDKIM(t, program, conf, forged)); diff != "" {
				t.Errorf("with another subject: -want +got:\n%s", diff)
			}
		})
	}
}

// openDKIM writes a configuration in which the keys of s stand for DNS.
func openDKIM(t *testing.T, s *mail.Signer) string {
	t.Helper()
	dir := t.TempDir()
	conf, keys := filepath.Join(dir, "opendkim.conf"), filepath.Join(dir, "keys")
	var records strings.Builder
	for _, r := range s.Records() {
		fmt.Fprintln(&records, r.Name, r.Text)
	}
	for file, text := range map[string]string{
		keys: records.String(),
		conf: "Mode v\nSyslog no\nAlwaysAddARHeader yes\nAuthservID test\nTestPublicKeys " + keys + "\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return conf
}

// verdict finds what OpenDKIM says of one signature: in the header that it
// would add, a signature is named by its selector.
var verdict = regexp.MustCompile(`dkim=(\w+)[^;]* header\.s=(\w+)`)

// askOpenDKIM gives the verdict on each signature by its selector.
func askOpenDKIM(t *testing.T, program, conf string, msg []byte) map[string]string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "message.eml")
	if err := os.WriteFile(file, msg, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, "-x", conf, "-vv", "-t", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	verdicts := map[string]string{}
	for _, m := range verdict.FindAllStringSubmatch(string(out), -1) {
		verdicts[m[2]] = m[1]
	}
	if len(verdicts) == 0 {
		t.Logf("%s", out)
	}
	return verdicts
}
