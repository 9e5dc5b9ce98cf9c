package newsletter_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/newsletter"
	"tidings/internal/store"
)

// letters runs a Messenger until it has sent n mails.
func (h *house) letters(r *fakeRelay, n int) {
	h.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- newsletter.NewMessenger(h.Service, r, nil, nil, nil).Run(ctx) }()
	deadline := time.Now().Add(10 * time.Second)
	for r.count() < n && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		h.t.Error(err)
	}
	if got := r.count(); got != n {
		h.t.Fatalf("%d letters, want %d", got, n)
	}
}

var (
	softBreak = regexp.MustCompile(`=\r\n`)
	link      = regexp.MustCompile(`https://news\.example\.org/(confirm|unsubscribe|preferences|address)/([A-Za-z0-9_-]+)`)
)

// tokenIn finds the token of the link in a mail.
func tokenIn(t *testing.T, msg []byte) string {
	t.Helper()
	m := link.FindSubmatch(softBreak.ReplaceAll(msg, nil))
	if m == nil {
		t.Fatalf("no link in\n%s", msg)
	}
	return string(m[2])
}

// The mail to confirm is in the language of the page of the sign-up.
func TestConfirmationInTheReadersLanguage(t *testing.T) {
	h := newHouse(t, weekly())
	r := newFakeRelay(nil)
	if err := h.SignUp(t.Context(), newsletter.SignUp{Email: "ann@example.org", Language: "de"}); err != nil {
		t.Fatal(err)
	}
	h.letters(r, 1)
	mail := r.got("ann@example.org")[0]
	if !strings.Contains(string(mail), "Content-Language: de\r\n") || !strings.Contains(string(mail), "Abonnement") {
		t.Errorf("not in German:\n%s", mail)
	}
	if subs, err := h.Confirm(t.Context(), tokenIn(t, mail)); err != nil || subs[0].Language != "de" {
		t.Errorf("%+v, %v", subs, err)
	}
}

func TestDoubleOptIn(t *testing.T) {
	h := newHouse(t, weekly())
	r := newFakeRelay(nil)
	h.publish("one", time.Now(), "DevOps")
	h.snap.Categories = []*catalog.Term{devops}
	if err := h.SignUp(t.Context(), newsletter.SignUp{Email: " Ann@Example.org ", Categories: []string{"DevOps"}}); err != nil {
		t.Fatal(err)
	}
	if p := h.plan(weekly()); p.Edition.Counts.Eligible != 0 {
		t.Error("somebody who has not confirmed is a reader")
	}
	h.letters(r, 1)
	mail := r.got("Ann@example.org")
	if len(mail) != 1 {
		t.Fatalf("mails went to %v", r.taken)
	}
	tok := tokenIn(t, mail[0])
	subs, err := h.Confirmation(t.Context(), tok)
	if err != nil || len(subs) != 1 || subs[0].Status != store.StatusPending || subs[0].Title != "Weekly" {
		t.Errorf("looking at the link: %+v, %v", subs, err)
	}
	for range 2 {
		if subs, err = h.Confirm(t.Context(), tok); err != nil || subs[0].Status != store.StatusActive {
			t.Errorf("confirm: %+v, %v", subs, err)
		}
	}
	if p := h.plan(weekly()); p.Edition.Counts.Pending != 1 {
		t.Errorf("after confirming: %+v", p.Edition)
	}
	if _, err := h.Leaving(t.Context(), tok); !errors.Is(err, newsletter.ErrToken) {
		t.Errorf("a confirmation token opens the way out: %v", err)
	}
}

func TestConfirmationMailsAreLimited(t *testing.T) {
	h := newHouse(t, weekly())
	for range 10 {
		if err := h.SignUp(t.Context(), newsletter.SignUp{Email: "ann@example.org"}); err != nil {
			t.Fatal(err)
		}
	}
	h.letters(newFakeRelay(nil), 3)
}

func TestSignUpRefuses(t *testing.T) {
	h := newHouse(t, weekly())
	for _, email := range []string{"", "ann", "ann@", "a b@example.org", "ann@example.org\r\nBcc: all@example.org"} {
		if err := h.SignUp(t.Context(), newsletter.SignUp{Email: email}); !errors.Is(err, newsletter.ErrAddress) {
			t.Errorf("%q: %v, want ErrAddress", email, err)
		}
	}
	if err := h.SignUp(t.Context(), newsletter.SignUp{Email: "ann@example.org", Newsletters: []string{"daily"}}); !errors.Is(err, newsletter.ErrNewsletter) {
		t.Errorf("unknown newsletter: %v", err)
	}
}

func TestLeavingAndComingBack(t *testing.T) {
	h := newHouse(t, weekly())
	to := h.readers(1, "")[0]
	h.publish("one", time.Now())
	p := h.plan(weekly())
	r := newFakeRelay(nil)
	h.run(h.sender(r), h.finished(p.Edition.ID))
	leave := tokenIn(t, r.got(to)[0])
	if sub, err := h.Leaving(t.Context(), leave); err != nil || sub.Email != "r…@example.com" {
		t.Errorf("looking at the link: %+v, %v", sub, err)
	}
	for range 2 {
		if err := h.Unsubscribe(t.Context(), leave, false); err != nil {
			t.Fatal(err)
		}
	}
	// An import does not bring them back, their own sign-up does.
	report, err := h.ImportCSV(t.Context(), strings.NewReader("email\n"+to+"\n"), newsletter.Import{Confirmed: true})
	if err != nil || report.Suppressed != 1 {
		t.Errorf("import: %+v, %v", report, err)
	}
	h.publish("two", time.Now())
	if p := h.plan(weekly()); p.Edition.Counts.Eligible != 0 {
		t.Error("somebody who left is a reader")
	}
	if err := h.SignUp(t.Context(), newsletter.SignUp{Email: to}); err != nil {
		t.Fatal(err)
	}
	confirmations := newFakeRelay(nil)
	h.letters(confirmations, 1)
	if _, err := h.Confirm(t.Context(), tokenIn(t, confirmations.got(to)[0])); err != nil {
		t.Fatal(err)
	}
	if p := h.plan(weekly()); p.Edition.Counts.Pending != 1 {
		t.Errorf("after coming back: %+v", p.Edition)
	}
}

func TestErased(t *testing.T) {
	h := newHouse(t, weekly())
	to := h.readers(1, "")[0]
	h.publish("one", time.Now())
	p := h.plan(weekly())
	r := newFakeRelay(nil)
	h.run(h.sender(r), h.finished(p.Edition.ID))
	who, err := h.Store.SubscriberByEmail(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Store.EraseSubscriber(t.Context(), time.Now(), who.ID); err != nil {
		t.Fatal(err)
	}
	if err := h.Unsubscribe(t.Context(), tokenIn(t, r.got(to)[0]), false); err != nil {
		t.Errorf("an old link of somebody erased: %v", err)
	}
	if report, err := h.ImportCSV(t.Context(), strings.NewReader("email\n"+to+"\n"), newsletter.Import{Confirmed: true}); err != nil || report.Suppressed != 1 {
		t.Errorf("import: %+v, %v", report, err)
	}
}

func TestExportComesBackUnchanged(t *testing.T) {
	daily := weekly()
	daily.Name = "daily"
	h := newHouse(t, weekly(), daily)
	in := "email;name;status;categories;tags;frequency;timezone;newsletters;created_at\n" +
		"ann@example.org;\"Ann, \"\"A\"\"\";active;DevOps,Washington\\, DC;go;weekly;Europe/Berlin;weekly,daily;2024-05-06\n" +
		"bo@example.org;;pending;;;;;weekly;\n" +
		"cy@example.org;;unsubscribed;;;;;daily;2024-05-06T07:08:09Z\n" +
		"cy@example.org;;active;;x;;;weekly;2024-05-06T07:08:09Z\n"
	report, err := h.ImportCSV(t.Context(), strings.NewReader("\ufeff"+in), newsletter.Import{Confirmed: true})
	if err != nil || report.Invalid != 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	var first, second bytes.Buffer
	if err := h.ExportCSV(t.Context(), &first); err != nil {
		t.Fatal(err)
	}
	report, err = h.ImportCSV(t.Context(), bytes.NewReader(first.Bytes()), newsletter.Import{Confirmed: true})
	if err != nil || report.Added+report.Updated+report.Invalid != 0 {
		t.Errorf("importing the export: %+v, %v\n%s", report, err, first.String())
	}
	other := newHouse(t, weekly(), daily)
	if _, err := other.ImportCSV(t.Context(), bytes.NewReader(first.Bytes()), newsletter.Import{Confirmed: true}); err != nil {
		t.Fatal(err)
	}
	if err := other.ExportCSV(t.Context(), &second); err != nil {
		t.Fatal(err)
	}
	if first.String() != second.String() {
		t.Errorf("the export of an imported export differs:\n%s\n%s", first.String(), second.String())
	}
}

func TestImportReportsLines(t *testing.T) {
	h := newHouse(t, weekly())
	in := "Name,EMAIL,status,timezone,created_at,frequency,newsletters\n" +
		"A,a@example.org,,,,,\n" +
		"B,nobody,,,,,\n" +
		"C,c@example.org,maybe,,,,\n" +
		"D,d@example.org,,Mars/Base,,,\n" +
		"E,e@example.org,,,yesterday,,\n" +
		"F,f@example.org,,,,hourly,\n" +
		"G,g@example.org,,,,,daily\n" +
		"H,A@EXAMPLE.ORG,,,,,\n" +
		"I,\"i@exa\"mple.org,,,,,\n"
	report, err := h.ImportCSV(t.Context(), strings.NewReader(in), newsletter.Import{Confirmed: true})
	if err != nil {
		t.Fatal(err)
	}
	if report.Added != 1 || report.Invalid != 7 || report.Duplicate != 1 {
		t.Errorf("%+v", report)
	}
	for i, p := range report.Problems {
		if p.Line != i+3 {
			t.Errorf("problem %d is of line %d: %s", i, p.Line, p.Message)
		}
	}
	if _, err := h.ImportCSV(t.Context(), strings.NewReader("name\nAnn\n"), newsletter.Import{}); err == nil || !strings.Contains(err.Error(), "email") {
		t.Errorf("no email column: %v", err)
	}
	if _, err := h.ImportCSV(t.Context(), strings.NewReader(""), newsletter.Import{}); err == nil {
		t.Error("an empty file was taken")
	}
}

func TestImportClearsOnlyWhatItNames(t *testing.T) {
	h := newHouse(t, weekly())
	load := func(csv string) []string {
		if _, err := h.ImportCSV(t.Context(), strings.NewReader(csv), newsletter.Import{Confirmed: true}); err != nil {
			t.Fatal(err)
		}
		who, err := h.Store.SubscriberByEmail(t.Context(), "a@example.org")
		if err != nil {
			t.Fatal(err)
		}
		return who.Subscriptions[0].Categories
	}
	if got := load("email,categories\na@example.org,Go\n"); len(got) != 1 {
		t.Fatalf("categories %q", got)
	}
	if got := load("email,tags\na@example.org,x\n"); len(got) != 1 {
		t.Errorf("a file without the column cleared it: %q", got)
	}
	if got := load("email,categories\na@example.org,\n"); len(got) != 0 {
		t.Errorf("an empty cell left %q", got)
	}
}

func TestImportedAreAskedFirst(t *testing.T) {
	h := newHouse(t, weekly())
	report, err := h.ImportCSV(t.Context(), strings.NewReader("email,status\na@example.org,active\nb@example.org,unsubscribed\n"), newsletter.Import{})
	if err != nil || report.Added != 2 {
		t.Fatalf("%+v, %v", report, err)
	}
	h.publish("one", time.Now())
	if p := h.plan(weekly()); p.Edition.Counts.Eligible != 0 {
		t.Error("an imported address is a reader before confirming")
	}
	r := newFakeRelay(nil)
	h.letters(r, 1)
	if len(r.got("a@example.org")) != 1 {
		t.Errorf("confirmations went to %v", r.taken)
	}
}

func FuzzImportCSV(f *testing.F) {
	f.Add("email,name\na@example.org,A\n")
	f.Add("\ufeffemail;status\n\"x\";active\n")
	f.Add("email\n\xff\xfe\n")
	h := newHouse(f, weekly())
	f.Fuzz(func(t *testing.T, in string) {
		report, err := h.ImportCSV(context.Background(), strings.NewReader(in), newsletter.Import{Confirmed: true, DryRun: true})
		if err == nil && report.Invalid > len(report.Problems) {
			t.Errorf("%d invalid rows, %d reasons", report.Invalid, len(report.Problems))
		}
	})
}

// One mail asks about everything that was asked for at once, and names it.
func TestSeveralNewslettersAtOnce(t *testing.T) {
	daily := weekly()
	daily.Name, daily.Title = "daily", "Daily"
	h := newHouse(t, weekly(), daily)
	h.snap = &catalog.Snapshot{Categories: []*catalog.Term{devops}}
	in := newsletter.SignUp{
		Email: "ann@example.org", Newsletters: []string{"weekly", "daily"}, Categories: []string{"DevOps"},
		Frequency: store.CadenceWeekly, Hour: "6", Timezone: "Asia/Tokyo", Format: store.FormatText,
	}
	if err := h.SignUp(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	r := newFakeRelay(nil)
	h.letters(r, 1)
	mail := string(softBreak.ReplaceAll(r.got("ann@example.org")[0], nil))
	for _, named := range []string{"Weekly", "Daily", "06:00", "Asia/Tokyo", "DevOps"} {
		if !strings.Contains(mail, named) {
			t.Errorf("the mail does not name %s:\n%s", named, mail)
		}
	}
	subs, err := h.Confirm(t.Context(), tokenIn(t, []byte(mail)))
	if err != nil || len(subs) != 2 {
		t.Fatalf("%+v, %v", subs, err)
	}
	who, err := h.Store.SubscriberByEmail(t.Context(), "ann@example.org")
	if err != nil || who.Timezone != "Asia/Tokyo" || who.Format != store.FormatText {
		t.Errorf("%+v, %v", who, err)
	}
	for _, sub := range who.Subscriptions {
		if sub.Status != store.StatusActive || sub.Frequency != store.CadenceWeekly || sub.Hour != "6" || len(sub.Categories) != 1 {
			t.Errorf("%+v", sub)
		}
	}
	// Asked for again, it leads to the page where it can be changed.
	if err := h.SignUp(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	r = newFakeRelay(nil)
	h.letters(r, 1)
	if p, err := h.Person(t.Context(), tokenIn(t, r.got("ann@example.org")[0])); err != nil || !p.Fresh {
		t.Errorf("%+v, %v", p, err)
	}
}

var devops = &catalog.Term{Kind: catalog.Category, Key: "devops", Name: "DevOps", Slug: "devops"}

func TestSignUpChecksEveryField(t *testing.T) {
	h := newHouse(t, weekly())
	h.SignUps.Disposable = newsletter.List{"mailinator.com": true}
	h.SignUps.Role = newsletter.List{"info": true}
	for name, c := range map[string]struct {
		in    newsletter.SignUp
		field string
		err   error
	}{
		"frequency":           {newsletter.SignUp{Email: "a@example.org", Frequency: "hourly"}, newsletter.FieldFrequency, newsletter.ErrFrequency},
		"hour":                {newsletter.SignUp{Email: "a@example.org", Hour: "24"}, newsletter.FieldHour, newsletter.ErrHour},
		"zone":                {newsletter.SignUp{Email: "a@example.org", Timezone: "../etc"}, newsletter.FieldZone, newsletter.ErrZone},
		"format":              {newsletter.SignUp{Email: "a@example.org", Format: "pdf"}, newsletter.FieldFormat, newsletter.ErrFormat},
		"a topic":             {newsletter.SignUp{Email: "a@example.org", Tags: []string{"Buy my pills"}}, newsletter.FieldTopics, newsletter.ErrTopic},
		"thrown away":         {newsletter.SignUp{Email: "a@mail.mailinator.com"}, newsletter.FieldEmail, newsletter.ErrDisposable},
		"an office":           {newsletter.SignUp{Email: "Info+x@example.org"}, newsletter.FieldEmail, newsletter.ErrRole},
		"another top domain":  {newsletter.SignUp{Email: "a@notmailinator.com"}, "", nil},
		"an office's holiday": {newsletter.SignUp{Email: "information@example.org"}, "", nil},
	} {
		err := h.SignUp(t.Context(), c.in)
		faults, _ := errors.AsType[newsletter.FieldErrors](err)
		if c.err == nil && err != nil || c.err != nil && (len(faults) != 1 || !errors.Is(faults[c.field], c.err)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatNobodyConfirmsIsForgotten(t *testing.T) {
	h := newHouse(t, weekly())
	h.SignUps.Unconfirmed = time.Nanosecond
	if err := h.SignUp(t.Context(), newsletter.SignUp{Email: "ann@example.org"}); err != nil {
		t.Fatal(err)
	}
	h.letters(newFakeRelay(nil), 1)
	h.readers(1, "") // who is not forgotten
	if n, err := h.Forget(t.Context()); err != nil || n != 1 {
		t.Fatalf("%d forgotten, %v", n, err)
	}
	if _, err := h.Store.SubscriberByEmail(t.Context(), "ann@example.org"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("still there: %v", err)
	}
}

// Who chooses no hour is told which one the newsletter has.
func TestUsualHourIsNamed(t *testing.T) {
	n := weekly()
	n.Hour = 6
	h := newHouse(t, n)
	if err := h.SignUp(t.Context(), newsletter.SignUp{Email: "ann@example.org", Frequency: store.CadenceDaily}); err != nil {
		t.Fatal(err)
	}
	r := newFakeRelay(nil)
	h.letters(r, 1)
	if mail := string(r.got("ann@example.org")[0]); !strings.Contains(mail, "06:00") {
		t.Errorf("the mail does not name the hour:\n%s", mail)
	}
}

// Spellings of one mailbox share a limit of mails, whoever is known; and so do
// all, in an hour.
func TestSignUpLimits(t *testing.T) {
	h := newHouse(t, weekly())
	h.SignUps.PerHour = 8
	for i := range 6 {
		for _, email := range []string{fmt.Sprintf("a.n.n+%d@gmail.com", i), fmt.Sprintf("bob+%d@example.org", i)} {
			if err := h.SignUp(t.Context(), newsletter.SignUp{Email: email}); err != nil {
				t.Fatal(err)
			}
		}
	}
	h.letters(newFakeRelay(nil), 6)
	busy := 0
	for i := range 5 {
		if errors.Is(h.SignUp(t.Context(), newsletter.SignUp{Email: fmt.Sprintf("c%d@example.org", i)}), newsletter.ErrBusy) {
			busy++
		}
	}
	if busy != 3 {
		t.Errorf("refused %d of 5, want 3: the hour has 8", busy)
	}
}

// Who asks for links leaves sign-ups alone, and so does one network to others.
func TestLinksTakeNothingFromSignUps(t *testing.T) {
	h := newHouse(t, weekly())
	h.SignUps.PerHour = 1
	crowd := store.WithOrigin(t.Context(), store.Origin{Network: "192.0.2.0/24"})
	refused := 0
	for i := range 12 {
		if errors.Is(h.SendLink(crowd, fmt.Sprintf("z%d@example.org", i)), newsletter.ErrBusy) {
			refused++
		}
	}
	if refused != 4 { // ten an hour for each sign-up, of which two are for others
		t.Errorf("refused %d of 12, want 4", refused)
	}
	if err := h.SendLink(store.WithOrigin(t.Context(), store.Origin{Network: "198.51.100.0/24"}), "ann@example.org"); err != nil {
		t.Errorf("a link, from elsewhere: %v", err)
	}
	if err := h.SignUp(crowd, newsletter.SignUp{Email: "ann@example.org"}); err != nil {
		t.Errorf("a sign-up: %v", err)
	}
}

// An address that is refused to who signs up gets its link all the same.
func TestARefusedAddressGetsItsLink(t *testing.T) {
	h := newHouse(t, weekly())
	h.SignUps.Role = newsletter.List{"info": true}
	h.subscriber("info@example.com", store.Subscription{Newsletter: "weekly"})
	if err := h.SignUp(t.Context(), newsletter.SignUp{Email: "info@example.com"}); !errors.Is(err, newsletter.ErrRole) {
		t.Errorf("signing up: %v", err)
	}
	if err := h.SendLink(t.Context(), "info@example.com"); err != nil {
		t.Fatal(err)
	}
	r := newFakeRelay(nil)
	h.letters(r, 1)
	if p, err := h.Person(t.Context(), tokenIn(t, r.got("info@example.com")[0])); err != nil || !p.Fresh {
		t.Errorf("%+v, %v", p, err)
	}
}

// A link is of what was asked for together; what somebody asks for later in the
// same name has a link of its own.
func TestLinksOfSeparateSignUps(t *testing.T) {
	h := newHouse(t, weekly(), named("daily"))
	var tokens []string
	for i, name := range []string{"weekly", "daily"} {
		if err := h.SignUp(t.Context(), newsletter.SignUp{Email: "ann@example.org", Newsletters: []string{name}}); err != nil {
			t.Fatal(err)
		}
		r := newFakeRelay(nil)
		h.letters(r, 1)
		tokens = append(tokens, tokenIn(t, r.got("ann@example.org")[0]))
		if subs, err := h.Confirmation(t.Context(), tokens[i]); err != nil || len(subs) != 1 || subs[0].Newsletter != name {
			t.Errorf("%s: %+v, %v", name, subs, err)
		}
	}
	if _, err := h.Confirm(t.Context(), tokens[0]); err != nil {
		t.Fatal(err)
	}
	if subs, err := h.Confirmation(t.Context(), tokens[1]); err != nil || subs[0].Status != store.StatusPending {
		t.Errorf("the other one: %+v, %v", subs, err)
	}
}

// A link confirms what its own mail named, whoever else fills in a form with
// the address.
func TestALinkConfirmsWhatItsMailNamed(t *testing.T) {
	h := newHouse(t, weekly())
	h.snap = &catalog.Snapshot{Categories: []*catalog.Term{devops}}
	var tokens []string
	for _, in := range []newsletter.SignUp{
		{Categories: []string{"DevOps"}, Timezone: "Europe/Paris", Frequency: "weekly", Hour: "9"},
		{Timezone: "Asia/Tokyo", Format: store.FormatText, Frequency: "daily"},
	} {
		in.Email = "vic@example.org"
		if err := h.SignUp(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		r := newFakeRelay(nil)
		h.letters(r, 1)
		tokens = append(tokens, tokenIn(t, r.got(in.Email)[0]))
	}
	for range 2 { // to look at it, and when it is done
		subs, err := h.Confirmation(t.Context(), tokens[0])
		if err != nil || len(subs) != 1 || !slices.Equal(subs[0].Categories, []string{"DevOps"}) || subs[0].Timezone != "Europe/Paris" || subs[0].Hour != "9" || subs[0].Format == store.FormatText {
			t.Fatalf("%+v, %v", subs, err)
		}
		if _, err := h.Confirm(t.Context(), tokens[0]); err != nil {
			t.Fatal(err)
		}
	}
	who, err := h.Store.SubscriberByEmail(t.Context(), "vic@example.org")
	if err != nil || who.Timezone != "Europe/Paris" || who.Subscriptions[0].Frequency != "weekly" {
		t.Errorf("%+v, %v", who, err)
	}
}
