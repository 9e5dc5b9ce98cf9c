package newsletter_test

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"testing"
	"time"

	"tidings/internal/newsletter"
	"tidings/internal/relay"
	"tidings/internal/store"
)

const bounceAddress = "Bounce@news.example.org"

// mailed is a house whose readers have got an edition.
type mailed struct {
	*house
	relay   *fakeRelay
	people  []string
	edition int64
}

func newMailed(t testing.TB, readers int, returnPath string) *mailed {
	m := &mailed{house: newHouse(t, weekly()), relay: newFakeRelay(nil)}
	m.ReturnPath = returnPath
	m.people = m.readers(readers, "")
	m.edition = m.next()
	return m
}

// next sends another edition and gives its number.
func (m *mailed) next() int64 {
	m.t.Helper()
	m.publish(fmt.Sprint("post ", time.Now().UnixNano()), time.Now())
	p := m.plan(weekly())
	m.run(m.sender(m.relay), m.finished(p.Edition.ID))
	return p.Edition.ID
}

// messageID gives the Message-ID of the last mail that a reader got.
func (m *mailed) messageID(to string) string {
	m.t.Helper()
	got := m.relay.got(to)
	msg, err := mail.ReadMessage(strings.NewReader(string(got[len(got)-1])))
	if err != nil {
		m.t.Fatal(err)
	}
	return msg.Header.Get("Message-ID")
}

// take hands over a report and gives its result.
func (m *mailed) take(recipient, report string) string {
	m.t.Helper()
	v, err := newsletter.NewBounces(m.Service, nil).Take(m.t.Context(), recipient, strings.NewReader(report))
	if err != nil {
		m.t.Fatal(err)
	}
	return v.Result
}

func (m *mailed) suppression(email string) string {
	m.t.Helper()
	p, err := m.Store.SubscriberByEmail(m.t.Context(), email)
	if err != nil {
		m.t.Fatal(err)
	}
	x, err := m.Store.Suppressed(m.t.Context(), p.Key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		m.t.Fatal(err)
	}
	return x.Reason
}

// dsn is a report of a mail to an address; id may be that of the mail, or "".
func dsn(to, status, id string) string {
	return fmt.Sprintf("From: MAILER-DAEMON@relay.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"+
		"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; relay.example\n\n"+
		"Final-Recipient: rfc822; %s\nAction: failed\nStatus: %s\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: %s\n\nHello\n--b--\n", to, status, id)
}

func complaint(kind, id string) string {
	return fmt.Sprintf("From: fbl@example.net\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"+
		"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: %s\nVersion: 1\n\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: %s\n\n--b--\n", kind, id)
}

const freeText = "From: MAILER-DAEMON@mx.example\nSubject: failure notice\n\nHi. This is the qmail-send program at mx.example.\nSorry, no mailbox here by that name. (#5.1.1)\n"

func TestEachMailHasItsReturnPath(t *testing.T) {
	t.Parallel()
	m := newMailed(t, 2, bounceAddress)
	seen := map[string]bool{}
	for _, to := range m.people {
		from := m.relay.from[to]
		local, domain, _ := strings.Cut(from, "@")
		if !strings.HasPrefix(local, "Bounce+") || domain != "news.example.org" || len(local) > 64 || seen[from] {
			t.Errorf("mail to %s comes back to %q", to, from)
		}
		seen[from] = true
		if id := m.messageID(to); !strings.HasSuffix(id, "@example.org>") {
			t.Errorf("Message-ID %s is not of the sender's domain", id)
		}
	}
	b := newsletter.NewBounces(m.Service, nil)
	good := m.relay.from[m.people[0]]
	for address, want := range map[string]bool{
		good: true, strings.ToUpper(good): true, strings.ToLower(good): true, bounceAddress: true, "bounce@NEWS.example.org": true,
		"bounce+aaaaaaaaaaaaaaaaa@news.example.org": false, strings.Replace(good, "+", "-", 1): false, "x" + good: false,
		strings.Replace(good, "@news", "@other", 1): false, "bounce+@news.example.org": true, "news@example.org": false, "": false,
		"bouncer@news.example.org": false, "Bounce": false,
	} {
		if got := b.Takes(address); got != want {
			t.Errorf("Takes(%q) = %v", address, got)
		}
	}
}

func TestWhoBouncesIsNotMailedAgain(t *testing.T) {
	t.Parallel()
	m := newMailed(t, 3, bounceAddress)
	gone, blocked, fine := m.people[0], m.people[1], m.people[2]
	if got := m.take(m.relay.from[gone], dsn(gone, "5.1.1", "")); got != newsletter.ReportSuppressed {
		t.Errorf("hard: %s", got)
	}
	if got := m.take(m.relay.from[blocked], dsn(blocked, "5.7.26", "")); got != newsletter.ReportRecorded {
		t.Errorf("blocked: %s", got)
	}
	if got := m.take(m.relay.from[gone], dsn(gone, "5.1.1", "")); got != newsletter.ReportRepeated {
		t.Errorf("the same again: %s", got)
	}
	sum, err := m.Store.EditionBounces(t.Context(), m.edition)
	if err != nil || sum.Bounced != 2 {
		t.Errorf("sum: %+v, %v", sum, err)
	}
	if c := m.house.edition(m.edition).Counts; c.Sent != 3 {
		t.Errorf("account: %+v", c)
	}
	m.next()
	for to, want := range map[string]int{gone: 1, blocked: 2, fine: 2} {
		if got := len(m.relay.got(to)); got != want {
			t.Errorf("%s got %d mails, want %d", to, got, want)
		}
	}
}

// TestWhatCounts holds by what a report must prove that it is about a mail of
// ours.
func TestWhatCounts(t *testing.T) {
	t.Parallel()
	m := newMailed(t, 2, bounceAddress)
	ann := m.people[0]
	verp, id := m.relay.from[ann], m.messageID(ann)
	forged := strings.Replace(verp, "+", "+a", 1)
	otherID := strings.Replace(id, ".", ".a", 1)
	delayed := strings.Replace(dsn(ann, "4.4.1", id), "failed", "delayed", 1)
	for _, c := range []struct{ what, recipient, report, want string }{
		{"forged code", forged, dsn(ann, "5.1.1", ""), newsletter.ReportIgnored},
		{"the address alone", bounceAddress, dsn(ann, "5.1.1", ""), newsletter.ReportIgnored},
		{"a foreign Message-ID", bounceAddress, dsn(ann, "5.1.1", "<x@example.org>"), newsletter.ReportIgnored},
		{"a guessed Message-ID", bounceAddress, dsn(ann, "5.1.1", otherID), newsletter.ReportIgnored},
		{"no recipient", "", dsn(ann, "5.1.1", ""), newsletter.ReportIgnored},
		{"free text with the Message-ID", bounceAddress, freeText + "\nMessage-ID: " + id + "\n", newsletter.ReportIgnored},
		{"delayed", verp, delayed, newsletter.ReportIgnored},
		{"out of office", verp, "From: a@b.example\nAuto-Submitted: auto-replied\n\n550 5.1.1 user unknown\n", newsletter.ReportIgnored},
		{"an answer", verp, "From: a@b.example\nSubject: Re: post\n\n550 5.1.1 user unknown\n", newsletter.ReportIgnored},
		{"an answer by somebody named postmaster", verp, "From: postmaster <a@b.example>\nSubject: Re: Undeliverable\nIn-Reply-To: " + id + "\n\n550 5.1.1 user unknown\n", newsletter.ReportIgnored},
		{"a delay in words", verp, "From: MAILER-DAEMON@b.example\nSubject: Delivery Status Notification (Delay)\n\n550 5.1.1 user unknown\n", newsletter.ReportIgnored},
		{"no message", verp, "hello", newsletter.ReportIgnored},
		{"not-spam", bounceAddress, complaint("not-spam", id), newsletter.ReportIgnored},
		{"auth-failure", bounceAddress, complaint("auth-failure", id), newsletter.ReportIgnored},
		{"of an unknown type", bounceAddress, complaint("novel", id), newsletter.ReportIgnored},
		{"a complaint about a foreign mail", bounceAddress, complaint("abuse", "<x@example.org>"), newsletter.ReportIgnored},
	} {
		if got := m.take(c.recipient, c.report); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
		if got := m.suppression(ann); got != "" {
			t.Fatalf("%s: suppressed as %s", c.what, got)
		}
	}
	list, err := m.Store.ListEditions(t.Context(), "", 0)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if sum, err := m.Store.EditionBounces(t.Context(), m.edition); err != nil || sum.Bounced+sum.Complained+len(sum.Domains) > 0 {
		t.Errorf("sum: %+v, %v", sum, err)
	}
}

// TestWaysToProve gives each good report to a house of its own.
func TestWaysToProve(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		recipient func(verp string) string
		report    func(to, verp, id string) string
		reason    string
	}{
		"by its recipient":   {same, func(to, _, _ string) string { return dsn(to, "5.1.1", "") }, store.ReasonBounce},
		"in capitals":        {strings.ToUpper, func(to, _, _ string) string { return dsn(to, "5.1.1", "") }, store.ReasonBounce},
		"by Delivered-To":    {noRecipient, func(to, verp, _ string) string { return "Delivered-To: " + verp + "\n" + dsn(to, "5.1.1", "") }, store.ReasonBounce},
		"by To":              {noRecipient, func(to, verp, _ string) string { return "To: <" + verp + ">\n" + dsn(to, "5.1.1", "") }, store.ReasonBounce},
		"by Message-ID":      {noRecipient, func(to, _, id string) string { return dsn(to, "5.1.1", id) }, store.ReasonBounce},
		"of another address": {same, func(_, _, _ string) string { return dsn("forwarded@example.net", "5.1.1", "") }, store.ReasonBounce},
		"in words":           {same, func(_, _, _ string) string { return freeText }, store.ReasonBounce},
		"in foreign words": {same, func(_, _, _ string) string {
			return "Return-Path: <>\nFrom: x@mx.example\nSubject: 退信\n\n550 5.1.1\n"
		}, store.ReasonBounce},
		"with a broken line": {same, func(to, _, _ string) string { return "broken\n" + dsn(to, "5.1.1", "") }, store.ReasonBounce},
		"a complaint":        {noRecipient, func(_, _, id string) string { return complaint("abuse", id) }, store.ReasonComplaint},
		"a complaint, VERP":  {same, func(_, _, _ string) string { return complaint("fraud", "") }, store.ReasonComplaint},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMailed(t, 2, bounceAddress)
			to := m.people[0]
			verp := m.relay.from[to]
			if got := m.take(c.recipient(verp), c.report(to, verp, m.messageID(to))); got != newsletter.ReportSuppressed {
				t.Errorf("result %s", got)
			}
			if got := m.suppression(to); got != c.reason {
				t.Errorf("suppressed as %q, want %s", got, c.reason)
			}
			if got := m.suppression(m.people[1]); got != "" {
				t.Errorf("the other reader is suppressed as %s", got)
			}
		})
	}
}

func same(s string) string      { return s }
func noRecipient(string) string { return "" }

func TestWithoutAnAddressForBounces(t *testing.T) {
	t.Parallel()
	m := newMailed(t, 1, "")
	to := m.people[0]
	if got := m.relay.from[to]; got != "news@example.org" {
		t.Errorf("the envelope sender is %q", got)
	}
	if got := m.take("", dsn(to, "5.1.1", m.messageID(to))); got != newsletter.ReportSuppressed {
		t.Errorf("result %s", got)
	}
}

func TestErasedPeopleDoNotBounce(t *testing.T) {
	t.Parallel()
	m := newMailed(t, 1, bounceAddress)
	to := m.people[0]
	p, err := m.Store.SubscriberByEmail(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Store.EraseSubscriber(t.Context(), m.Clock.Now(), p.ID); err != nil {
		t.Fatal(err)
	}
	if got := m.take(m.relay.from[to], dsn(to, "5.1.1", "")); got != newsletter.ReportIgnored {
		t.Errorf("result %s", got)
	}
}

func TestReportsWaitForTheDatabase(t *testing.T) {
	t.Parallel()
	m := newMailed(t, 1, bounceAddress)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := newsletter.NewBounces(m.Service, nil)
	if v, err := b.Take(ctx, m.relay.from[m.people[0]], strings.NewReader(dsn(m.people[0], "5.1.1", ""))); err == nil {
		t.Errorf("a report was dealt with without the database: %+v", v)
	}
}

// TestRefusedAtSending holds that what the relay refuses at once counts like
// what comes back.
func TestRefusedAtSending(t *testing.T) {
	t.Parallel()
	m := newMailed(t, 3, bounceAddress)
	gone, blocked, full := m.people[0], m.people[1], m.people[2]
	answers := map[string]relay.Reply{
		gone:    {Code: 550, Enhanced: "5.1.1", Text: "User unknown"},
		blocked: {Code: 550, Enhanced: "5.7.1", Text: "no such user, says our policy"},
		full:    {Code: 552, Enhanced: "5.2.2", Text: "Mailbox full"},
	}
	m.relay.answer = func(to string, _ int) error {
		return &relay.Error{Phase: relay.PhaseRcpt, Kind: relay.Permanent, Reply: answers[to]}
	}
	id := m.next()
	for to, want := range map[string]string{gone: store.ReasonBounce, blocked: "", full: ""} {
		if got := m.suppression(to); got != want {
			t.Errorf("%s is suppressed as %q, want %q", to, got, want)
		}
	}
	sum, err := m.Store.EditionBounces(t.Context(), id)
	want := "[{example.com block 1} {example.com hard 1} {example.com soft 1}]"
	if err != nil || sum.Bounced != 0 || fmt.Sprint(sum.Domains) != want {
		t.Errorf("sum: %+v, %v; want %s", sum, err, want)
	}
	if c := m.house.edition(id).Counts; c.Failed != 3 {
		t.Errorf("account: %+v", c)
	}
}

func TestConfirmationsComeBackToo(t *testing.T) {
	t.Parallel()
	m := &mailed{house: newHouse(t, weekly()), relay: newFakeRelay(nil)}
	m.ReturnPath = bounceAddress
	for _, email := range []string{"ann@example.com", "bob@example.com"} {
		if err := m.SignUp(t.Context(), newsletter.SignUp{Email: email}); err != nil {
			t.Fatal(err)
		}
	}
	m.letters(m.relay, 2)
	if got := m.take(m.relay.from["ann@example.com"], dsn("ann@example.com", "5.1.1", "")); got != newsletter.ReportSuppressed {
		t.Errorf("ann: %s", got)
	}
	if got := m.take("", dsn("bob@example.com", "5.2.2", m.messageID("bob@example.com"))); got != newsletter.ReportRecorded {
		t.Errorf("bob: %s", got)
	}
	for email, want := range map[string]string{"ann@example.com": store.ReasonBounce, "bob@example.com": ""} {
		if got := m.suppression(email); got != want {
			t.Errorf("%s is suppressed as %q, want %q", email, got, want)
		}
	}
}

func TestTestCopiesComeBackToNobody(t *testing.T) {
	t.Parallel()
	m := newMailed(t, 1, bounceAddress)
	g, err := m.Store.Group(t.Context(), m.edition, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.SendTest(t.Context(), m.relay, nil, g, weekly(), "me@example.org"); err != nil {
		t.Fatal(err)
	}
	if got := m.relay.from["me@example.org"]; got != bounceAddress {
		t.Errorf("a test copy comes back to %q", got)
	}
	if got := m.take(bounceAddress, dsn("me@example.org", "5.1.1", m.messageID("me@example.org"))); got != newsletter.ReportIgnored {
		t.Errorf("its bounce: %s", got)
	}
}

func TestRefusedConfirmation(t *testing.T) {
	t.Parallel()
	m := &mailed{house: newHouse(t, weekly()), relay: newFakeRelay(func(to string, _ int) error {
		if to == "ann@example.com" {
			return &relay.Error{Phase: relay.PhaseRcpt, Kind: relay.Permanent, Reply: relay.Reply{Code: 550, Enhanced: "5.1.1", Text: "User unknown"}}
		}
		return nil
	})}
	for _, email := range []string{"ann@example.com", "bob@example.com"} { // in the order of the queue
		if err := m.SignUp(t.Context(), newsletter.SignUp{Email: email}); err != nil {
			t.Fatal(err)
		}
	}
	m.letters(m.relay, 1)
	for email, want := range map[string]string{"ann@example.com": store.ReasonBounce, "bob@example.com": ""} {
		if got := m.suppression(email); got != want {
			t.Errorf("%s is suppressed as %q, want %q", email, got, want)
		}
	}
}

// TestFeedbackTypes says which types of feedback end the mail.
func TestFeedbackTypes(t *testing.T) {
	t.Parallel()
	types := map[string]string{
		"abuse": store.ReasonComplaint, "fraud": store.ReasonComplaint, "Opt-Out": store.ReasonComplaint, "other": store.ReasonComplaint,
		"virus": "", "not-spam": "", "auth-failure": "", "novel": "",
	}
	m := newMailed(t, len(types), bounceAddress)
	i := 0
	for kind, want := range types {
		to := m.people[i]
		i++
		m.take(bounceAddress, complaint(kind, m.messageID(to)))
		if got := m.suppression(to); got != want {
			t.Errorf("%s: suppressed as %q, want %q", kind, got, want)
		}
	}
	sum, err := m.Store.EditionBounces(t.Context(), m.edition)
	if err != nil || sum.Complained != 4 || sum.Bounced != 1 {
		t.Errorf("sum: %+v, %v", sum, err)
	}
}

// FuzzTake hands over whatever a stranger may send: nobody is suppressed by it.
func FuzzTake(f *testing.F) {
	m := newMailed(f, 1, bounceAddress)
	forged := strings.Replace(m.relay.from[m.people[0]], "+a", "+b", 1)
	f.Add(forged, dsn(m.people[0], "5.1.1", "<x.aaaaaaaaaaaaaaaa@example.org>"))
	f.Add(bounceAddress, complaint("abuse", "<1.2@example.org>"))
	f.Add("bounce+@news.example.org", freeText)
	f.Fuzz(func(t *testing.T, recipient, report string) {
		v, err := newsletter.NewBounces(m.Service, nil).Take(t.Context(), recipient, strings.NewReader(report))
		if err != nil || v.Result != newsletter.ReportIgnored {
			t.Errorf("%+v, %v", v, err)
		}
	})
}
