package newsletter_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/newsletter"
	"tidings/internal/store"
)

func (h *house) explain(email string, edition int64) newsletter.Explanation {
	h.t.Helper()
	e, err := h.Explain(context.Background(), email, edition, h.outlook)
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

// outlook gives the posts as they will be.
func (h *house) outlook(at time.Time) (*catalog.Snapshot, error) {
	snap := &catalog.Snapshot{}
	for _, e := range h.posts().Entries {
		if !e.Published.After(at) {
			snap.Entries = append(snap.Entries, e)
		} else if snap.Next.IsZero() || e.Published.Before(snap.Next) {
			snap.Next = e.Published
		}
	}
	return snap, nil
}

// titles of an answer's posts that are in the mail.
func titlesIn(a newsletter.Answer) (list []string) {
	for _, p := range a.Posts {
		if p.In {
			list = append(list, p.Title)
		}
	}
	return list
}

// TestWhatIsExplainedComes asks of each of many readers what they get next and
// why, lets two weeks pass, and compares: the first mail that each gets is that
// one, at that time, with those posts. Then it asks of every edition why each
// reader got it or did not.
func TestWhatIsExplainedComes(t *testing.T) {
	for _, seed := range []uint64{0, 10} {
		r := rand.New(rand.NewPCG(seed, 3))
		n := scheduled(t, "15 5,17 * * TUE,SAT")
		n.Zone, n.Hour, n.Weekday, n.MonthDay, n.MinPosts = mustZone(t, "Europe/Berlin"), r.IntN(24), time.Weekday(r.IntN(7)), 2+r.IntN(9), 1+r.IntN(3)
		n.MaxPostAge = 60 * 24 * time.Hour
		n.QuietHours = []string{"", "22-7"}[seed%2]
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			bubble(t, n, func(t *testing.T, h *house) { h.compareExplanations(r) })
		})
	}
}

func (h *house) compareExplanations(r *rand.Rand) {
	people := h.crowd(r)
	h.delivered(time.Minute)
	for i := range 6 {
		h.publish(fmt.Sprint("post ", i), time.Now().Add(-time.Duration(i)*time.Millisecond), []string{"a", "b", "c"}[r.IntN(3)])
	}
	var later []time.Time
	for i := range 3 {
		later = append(later, time.Now().Add(time.Duration(1+r.IntN(12*24))*time.Hour))
		h.publish(fmt.Sprint("later ", i), later[i], []string{"a", "b", "c"}[i])
	}
	slices.SortFunc(later, time.Time.Compare)
	told := map[string]newsletter.Answer{}
	for _, email := range people {
		told[email] = h.explain(email, 0).Answers[0]
	}
	mails := h.delivered(40 * time.Second)
	for _, at := range append(later, time.Now().Add(14*24*time.Hour)) {
		mails = append(mails, h.attended(time.Until(at)-time.Second)...)
		mails = append(mails, h.delivered(40*time.Second)...)
	}
	outcomes := map[string]int{}
	for email, a := range told {
		h.compareFirst(email, a, mails)
		outcomes[a.Outcome+" "+a.Reason]++
	}
	if len(outcomes) < 3 {
		h.t.Errorf("only these outcomes: %v", outcomes)
	}
	h.compareEditions(people)
}

// crowd makes readers of all kinds.
func (h *house) crowd(r *rand.Rand) (emails []string) {
	zones := []string{"", "Asia/Tokyo", "America/St_Johns", "Pacific/Auckland"}
	for i := range 30 {
		p := store.Subscriber{
			Email: fmt.Sprintf("r%d@example.com", i), Timezone: zones[r.IntN(len(zones))],
			QuietHours: []string{"", "22-7", "0-12"}[r.IntN(3)],
		}
		sub := store.Subscription{
			Frequency: store.Cadences[i%5], Hour: []string{"", "0", "7", "23"}[r.IntN(4)],
			Categories: [][]string{nil, {"a"}, {"b"}, {"a", "c"}, {"d"}}[r.IntN(5)],
		}
		if r.IntN(5) == 0 {
			sub.PausedUntil = time.Now().Add(time.Duration(r.IntN(10*24)) * time.Hour)
		}
		h.enrol(p, sub)
		emails = append(emails, p.Email)
	}
	return emails
}

// compareFirst compares what was told with the first mail that came.
func (h *house) compareFirst(email string, a newsletter.Answer, mails []receipt) {
	h.t.Helper()
	i := slices.IndexFunc(mails, func(m receipt) bool { return m.email == email })
	if a.Outcome != newsletter.OutcomeComes {
		if i >= 0 && a.At != nil && !mails[i].at.After(*a.At) {
			h.t.Errorf("%s: %s; and yet a mail came at %v", email, a.Why, mails[i].at)
		}
		return
	}
	if a.At.After(time.Now()) {
		return
	}
	if i < 0 {
		h.t.Errorf("%s: %s; and yet nothing came", email, a.Why)
		return
	}
	m := mails[i]
	if off := m.at.Sub(*a.At); off < -time.Second || off > 41*time.Second || m.edition.Slot != a.Slot || m.edition.Cadence != a.Cadence {
		h.t.Errorf("%s: %s; what came is %s %s at %v", email, a.Why, m.edition.Cadence, m.edition.Slot, m.at)
	}
	if got := h.titles(m.group.PostIDs); !slices.Equal(got, titlesIn(a)) {
		h.t.Errorf("%s: %s: %q; what came is %q", email, a.Why, titlesIn(a), got)
	}
}

func (h *house) titles(ids []int64) (list []string) {
	for _, id := range ids {
		for _, e := range h.posts().Entries {
			if e.PostID == id {
				list = append(list, e.Title)
			}
		}
	}
	return list
}

// compareEditions asks why each person got each edition or did not.
func (h *house) compareEditions(people []string) {
	h.t.Helper()
	es, err := h.Store.ListEditions(context.Background(), "", 0)
	if err != nil {
		h.t.Fatal(err)
	}
	reasons := map[string]int{}
	for _, e := range es {
		got := map[string]store.Delivery{}
		for _, d := range h.deliveries(e.ID) {
			got[d.Email] = d
		}
		for _, email := range people {
			a := h.explain(email, e.ID).Answers[0]
			reasons[a.Reason]++
			if d, ok := got[email]; ok && a.Outcome == d.State {
				h.comparePosts(a, d)
			} else if ok || a.Outcome != newsletter.OutcomeLeftOut || slices.Contains([]string{"", "changed", "not_on_record"}, a.Reason) {
				h.t.Errorf("%s, edition %d (%s %s, %s): %s, %s; on record is %q", email, e.ID, e.Cadence, e.Slot, e.Status, a.Outcome, a.Why, d.State)
			}
		}
	}
	for _, want := range []string{"sent", "frequency", "no_post"} {
		if reasons[want] == 0 {
			h.t.Errorf("nothing was explained by %s: %v", want, reasons)
		}
	}
}

func (h *house) comparePosts(a newsletter.Answer, d store.Delivery) {
	h.t.Helper()
	var want []string
	if d.Group >= 0 {
		g, err := h.Store.Group(context.Background(), d.EditionID, d.Group)
		if err != nil {
			h.t.Fatal(err)
		}
		want = h.titles(g.PostIDs)
	}
	if got := titlesIn(a); !slices.Equal(got, want) {
		h.t.Errorf("%s, edition %d: said to hold %q, holds %q", d.Email, d.EditionID, got, want)
	}
	for _, p := range a.Posts {
		if strings.Contains(p.Why, "but not due") {
			h.t.Errorf("%s, edition %d: %s: %s", d.Email, d.EditionID, p.Title, p.Why)
		}
	}
}

// TestExplainWhyNot asks of people who got nothing.
func TestExplainWhyNot(t *testing.T) {
	n := scheduled(t, "0 8 * * MON")
	bubble(t, n, func(t *testing.T, h *house) {
		ctx, start := t.Context(), time.Now()
		h.delivered(time.Minute)
		pending, sub := h.unknown("pending@example.com"), store.Subscription{Newsletter: "weekly", Frequency: store.CadenceSchedule}
		pending.Subscriptions = []store.Subscription{sub}
		limits := store.SignUpLimits{PerMailbox: 1, MailboxSince: start, All: 1, AllSince: start}
		_, err := h.Store.QueueSignUp(ctx, start, store.SignUp{Subscriber: pending}, limits)
		if err == nil {
			_, err = h.Store.ApplySignUps(ctx, start, 1)
		}
		if err != nil {
			t.Fatal(err)
		}
		people := map[string]store.Subscriber{}
		for _, name := range []string{"gets", "left", "paused", "suppressed", "topics", "fails", "back", "daily"} {
			own := store.Subscription{Newsletter: "weekly", Frequency: store.CadenceSchedule}
			switch name {
			case "paused":
				own.PausedUntil = start.Add(9 * 24 * time.Hour)
			case "topics":
				own.Categories = []string{"a"}
			case "daily":
				own.Frequency = store.CadenceDaily
			}
			people[name] = h.subscriber(name+"@example.com", own)
		}
		mustDo(t, h.Store.Unsubscribe(ctx, time.Now(), people["left"].ID, "weekly"))
		mustDo(t, h.Store.Unsubscribe(ctx, time.Now(), people["back"].ID, "weekly"))
		_, err = h.Store.Suppress(ctx, []store.Suppression{
			{Key: people["suppressed"].Key, Reason: store.ReasonBounce, Note: "550", At: time.Now()},
			{Key: h.unknown("stranger@example.com").Key, Reason: store.ReasonManual, At: time.Now()},
		})
		mustDo(t, err)
		h.publish("one", time.Now(), "b")
		for name, want := range map[string]string{
			"gets": "comes 1", "left": "left_out left", "pending": "left_out not_confirmed", "paused": "comes paused 1",
			"suppressed": "left_out suppressed", "topics": "nothing no_post", "daily": "comes 1",
		} {
			h.expect(name, 0, want)
		}

		time.Sleep(time.Until(time.Date(2000, 1, 3, 7, 59, 0, 0, time.UTC)))
		h.scheduled(2 * time.Minute)
		late := h.subscriber("late@example.com", store.Subscription{Newsletter: "weekly", Frequency: store.CadenceSchedule})
		if _, err := h.Store.Return(ctx, time.Now(), people["back"].ID, "weekly", start); err != nil {
			t.Fatal(err)
		}
		run := h.lastOf(store.CadenceSchedule)
		h.answer(people["fails"].ID, store.Result{State: store.DeliveryFailed, Counted: true, Code: 550, Reason: "no such user"})
		for name, want := range map[string]string{
			"gets": "pending queued 1", "left": "left_out left", "pending": "left_out not_confirmed", "paused": "left_out paused",
			"suppressed": "left_out suppressed", "topics": "empty no_post", "daily": "left_out frequency", "late": "left_out joined_later",
			"fails": "failed failed 1", "back": "left_out left",
		} {
			h.expect(name, run, want)
		}
		mustDo(t, h.Store.PauseEdition(ctx, time.Now(), run))
		h.expect("gets", run, "pending edition_paused 1")
		mustDo(t, h.Store.ResumeEdition(ctx, time.Now(), run))
		h.answer(people["gets"].ID, store.Result{State: store.DeliveryPending, Counted: true, Code: 451, Reason: "busy", NextAt: time.Now().Add(time.Minute)})
		h.expect("gets", run, "pending retry 1")
		if a := h.explain("gets@example.com", run).Answers[0]; a.Why != "to be tried again at 2000-01-03 08:02 UTC, after 1 attempt: busy" {
			t.Errorf("a mail that is tried again: %s", a.Why)
		}
		time.Sleep(2 * time.Minute)
		mustDo(t, h.Store.Unsubscribe(ctx, time.Now(), people["gets"].ID, ""))
		h.deliver()
		h.expect("gets", run, "suppressed unsubscribed 1")
		h.expect("fails", 0, "comes 1")
		mustDo(t, h.Store.EraseSubscriber(ctx, time.Now(), late.ID))

		for email, want := range map[string]string{"nobody@example.com": "", "stranger@example.com": store.ReasonManual, "late@example.com": store.ReasonErased} {
			e := h.explain(email, run)
			if e.Known || len(e.Answers) > 0 || want != "" && (e.Suppression == nil || e.Suppression.Reason != want) || want == "" && e.Suppression != nil {
				t.Errorf("%s: %+v", email, e)
			}
		}
		if _, err := h.Explain(ctx, "nobody@example.com", 999, nil); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an edition that is not there: %v", err)
		}
		if _, err := h.Explain(ctx, "nobody", 0, nil); !errors.Is(err, newsletter.ErrAddress) {
			t.Errorf("no address: %v", err)
		}
	})
}

// expect holds the last answer about a person to "outcome reason posts".
func (h *house) expect(name string, edition int64, want string) {
	h.t.Helper()
	answers := h.explain(name+"@example.com", edition).Answers
	a := answers[len(answers)-1]
	got := a.Outcome
	if a.Reason != "" {
		got += " " + a.Reason
	}
	if n := len(titlesIn(a)); n > 0 {
		got += fmt.Sprint(" ", n)
	}
	if got != want || a.Why == "" {
		h.t.Errorf("%s, edition %d: %s (%s), want %s", name, edition, got, a.Why, want)
	}
}

func (h *house) lastOf(cadence string) int64 {
	es, err := h.Store.ListEditions(context.Background(), "", 0)
	if err != nil {
		h.t.Fatal(err)
	}
	i := slices.IndexFunc(es, func(e store.Edition) bool { return e.Cadence == cadence })
	return es[i].ID
}

// answer claims all that is due, and gives it back but for one reader's mail.
func (h *house) answer(reader int64, r store.Result) {
	ctx, now := context.Background(), time.Now()
	jobs, err := h.Store.Claim(ctx, now, "test", 100)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, j := range jobs {
		back := store.Result{State: store.DeliveryPending}
		if j.SubscriberID == reader {
			back = r
		}
		back.DeliveryRef = j.DeliveryRef
		if err := h.Store.Record(ctx, now, "test", []store.Result{back}); err != nil {
			h.t.Fatal(err)
		}
	}
}

// unknown is a person who is not on record.
func (h *house) unknown(email string) store.Subscriber {
	key, err := h.SuppressionKey(email)
	if err != nil {
		h.t.Fatal(err)
	}
	return store.Subscriber{Email: email, Key: key}
}

func mustDo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
