package newsletter_test

import (
	"net/mail"
	"regexp"
	"strings"
	"testing"

	"tidings/internal/newsletter"
	"tidings/internal/store"
)

// leaveAddressIn gives the address in the List-Unsubscribe of the last mail that
// a reader got; "" if it has none.
func (m *mailed) leaveAddressIn(to string) string {
	m.t.Helper()
	got := m.relay.got(to)
	msg, err := mail.ReadMessage(strings.NewReader(string(got[len(got)-1])))
	if err != nil {
		m.t.Fatal(err)
	}
	found := regexp.MustCompile(`^<https://[^>]+>, <mailto:([^?>]+)\?subject=unsubscribe>$`).FindStringSubmatch(msg.Header.Get("List-Unsubscribe"))
	if found == nil {
		return ""
	}
	return found[1]
}

func (m *mailed) status(email string) string {
	m.t.Helper()
	who, err := m.Store.SubscriberByEmail(m.t.Context(), email)
	if err != nil {
		m.t.Fatal(err)
	}
	return who.Subscriptions[0].Status
}

func TestLeavingByMail(t *testing.T) {
	m := newMailed(t, 3, bounceAddress)
	reader := m.people[0]
	address := m.leaveAddressIn(reader)
	if local, _, _ := strings.Cut(address, "@"); address == "" || len(local) > 64 {
		t.Fatalf("the address is %q", address)
	}
	b := newsletter.NewBounces(m.Service, nil)
	if !b.Takes(address) || !b.Takes(strings.ToUpper(address)) || b.Takes("x"+address) || b.Takes(strings.Replace(address, "+", "+a", 1)) {
		t.Error("the mailbox is not the one of the address")
	}
	from := "From: <" + reader + ">\r\nTo: <" + address + ">\r\nSubject: unsubscribe\r\n"
	for name, msg := range map[string]string{
		"out of office": "Return-Path: <" + reader + ">\r\nAuto-Submitted: auto-replied\r\nFrom: <" + reader + ">\r\nTo: <" + address + ">\r\nSubject: Away: weekly\r\n\r\nI am away.\r\n",
		"a bounce":      "Return-Path: <>\r\nFrom: MAILER-DAEMON@example.com\r\nSubject: Undelivered Mail Returned to Sender\r\nTo: <" + address + ">\r\n\r\n<x@example.com>: unknown\r\n",
	} {
		if got := m.take(address, msg); got != newsletter.ReportIgnored || m.status(reader) != store.StatusActive {
			t.Errorf("%s: %s, and the reader is %s", name, got, m.status(reader))
		}
	}
	for range 2 { // twice is no error
		if got := m.take(address, "Return-Path: <"+reader+">\r\n"+from+"\r\n\r\n"); got != newsletter.ReportLeft || m.status(reader) != store.StatusUnsubscribed {
			t.Fatalf("%s, and the reader is %s", got, m.status(reader))
		}
	}
	if m.status(m.people[1]) != store.StatusActive {
		t.Error("somebody else was unsubscribed")
	}
	// A mail program may write in its owner's name, and say that it did.
	third := m.leaveAddressIn(m.people[2])
	if got := m.take(third, "Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\nSubject: Unsubscribe\r\n\r\n"); got != newsletter.ReportLeft {
		t.Errorf("by a program: %s", got)
	}
	// A pipe may not know the recipient; the header tells.
	second := m.leaveAddressIn(m.people[1])
	if got := m.take("", "Return-Path: <x@example.com>\r\nDelivered-To: "+second+"\r\nFrom: x@example.com\r\nTo: <"+second+">\r\nSubject: unsubscribe\r\n\r\n"); got != newsletter.ReportLeft {
		t.Errorf("by a pipe: %s", got)
	}
}

// Without anybody who reads it there is no address to write to.
func TestNoLeavingByMailWithoutAMailbox(t *testing.T) {
	m := newMailed(t, 1, "")
	if got := m.leaveAddressIn(m.people[0]); got != "" {
		t.Errorf("the mail names %s", got)
	}
}
