package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tidings/internal/mail"
	"tidings/internal/relay/relaytest"
)

const relayedConfig = `
site: {title: Field Notes, url: "http://localhost:%[1]d"}
posts: {dir: posts, settle: 0s, debounce: 20ms}
newsletters: {weekly: {title: Weekly digest}}
http: {listen: "127.0.0.1:%[1]d"}
mail: {transport: smtp, from: "news@bücher.example", smtp: {host: 127.0.0.1, port: RELAY, tls: none}}
`

// TestAddressesInOwnLetters follows readers whose addresses are not ASCII from
// the form to leaving, over a relay that takes them all (RFC 6531), and over one
// that knows of no such addresses: that can still mail to a domain.
func TestAddressesInOwnLetters(t *testing.T) {
	const domain, local = "ann@xn--bcher-kva.example", "jörg@xn--bcher-kva.example"
	for _, c := range []struct {
		utf8    bool
		reached []string
	}{{true, []string{domain, local}}, {false, []string{domain}}} {
		t.Run(fmt.Sprintf("SMTPUTF8 %t", c.utf8), func(t *testing.T) {
			t.Parallel() // it waits, mostly
			server := relaytest.Start(t, relaytest.Options{SMTPUTF8: c.utf8})
			d := serve(t, strings.Replace(relayedConfig, "RELAY", fmt.Sprint(server.Port()), 1), onePost)
			for _, email := range []string{"ann@Bücher.example", "jörg@BÜCHER.example"} {
				d.signUp(email)
			}
			d.eventually("the mails that ask come", func() bool { return server.Count() == len(c.reached) })
			for _, m := range server.Messages() {
				if code := d.post(linkIn(t, m), nil); code/100 != 2 && code/100 != 3 {
					t.Fatalf("confirm: %d", code)
				}
			}
			if !c.utf8 { // who cannot be asked has proven consent otherwise
				d.must("subscribers", "add", "jörg@bücher.example", "--confirmed")
			}
			cmd := d.command("send", "weekly", "--since", "2025-01-01", "--yes")
			out, err := cmd.CombinedOutput()
			if (err == nil) != c.utf8 {
				t.Errorf("send: %v\n%s", err, out)
			}
			if e := d.edition(1); e.Sent != len(c.reached) || e.Sent+e.Failed != 2 {
				t.Errorf("the edition: %+v", e)
			}
			if why := d.must("subscribers", "explain", "jörg@Bücher.example", "1"); !c.utf8 && !strings.Contains(why, "no SMTPUTF8") {
				t.Errorf("explained as %s", why)
			}
			digests := server.Messages()[len(c.reached):]
			var reached []string
			for _, m := range digests {
				reached = append(reached, m.To[0])
				if code := d.post(linkIn(t, m), url.Values{"List-Unsubscribe": {"One-Click"}}); code != 200 {
					t.Errorf("one-click for %s: %d", m.To[0], code)
				}
			}
			if slices.Sort(reached); !slices.Equal(reached, c.reached) {
				t.Errorf("digests went to %v", reached)
			}
			if out := d.must("subscribers", "list", "--status", "unsubscribed"); strings.Count(out, "@xn--bcher-kva.example") != len(c.reached) {
				t.Errorf("who left:\n%s", out)
			}
		})
	}
}

// linkIn gives the path that a mail asks to post to.
func linkIn(t *testing.T, m relaytest.Message) string {
	t.Helper()
	read, err := mail.Read(m.Data)
	if err != nil {
		t.Fatal(err)
	}
	link := pathTo.FindStringSubmatch(read.Text)
	if link == nil {
		t.Fatalf("no link in\n%s", read.Text)
	}
	return link[1]
}
