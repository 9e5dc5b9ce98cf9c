package alert_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/catalog"
	"tidings/internal/newsletter"
	"tidings/internal/relay"
	"tidings/internal/store"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares with a file of testdata.
func golden(t *testing.T, file, got string) {
	t.Helper()
	file = "testdata/" + file
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; run with -update if this is as it should be):\n%s", file, diff)
	}
}

// TestTheMail looks at a whole mail: one alert, then its end with two others.
func TestTheMail(t *testing.T) {
	bubble(t, func(h *house) {
		defer h.watch(maintainer)()
		h.open("domain example.com", "421 4.7.0 too many mails from you, see https://example.com/why", time.Hour)
		time.Sleep(20 * time.Minute)
		h.check(h.Store.CloseCircuit(h.t.Context(), "domain example.com"))
		h.edition(25, store.EditionSending)
		h.attempt(5, store.DeliveryFailed)
		h.attempt(20, store.DeliverySent)
		h.run(store.EditionFailed, "mail template email/digest.txt: line 3: no such field", false)
		time.Sleep(10 * time.Minute)
		ls := h.relay.letters()
		if len(ls) != 2 {
			t.Fatalf("%q", h.relay.subjects())
		}
		raw := strings.Replace(ls[0].Raw, ls[0].Header.Get("Date"), "(a look, or up to 20 s later)", 1)
		golden(t, "one.eml", strings.ReplaceAll(raw, "\r\n", "\n"))
		golden(t, "three.txt", ls[1].Subject+"\n\n"+ls[1].Text)
		for _, l := range ls {
			if l.Header.Get("Auto-Submitted") != "auto-generated" || l.Header.Get("List-Unsubscribe") != "" {
				t.Errorf("header %v", l.Header)
			}
		}
	})
}

// TestAStormMakesOneMail: a hundred domains at once, and a few after.
func TestAStormMakesOneMail(t *testing.T) {
	bubble(t, func(h *house) {
		defer h.watch(maintainer)()
		for i := range 100 {
			h.open(fmt.Sprintf("domain d%02d.example", i), "421 no", time.Hour)
		}
		time.Sleep(20 * time.Minute)
		ls := h.relay.letters()
		if len(ls) != 1 || ls[0].Subject != "[Field Notes] 100 alerts: d00.example takes no mails from here, …" {
			t.Fatalf("%q", h.relay.subjects())
		}
		if text := ls[0].Text; !strings.Contains(text, "d59.example") || strings.Contains(text, "d60.example") || !strings.Contains(text, "And 40 more.") || len(text) > 20_000 {
			t.Errorf("%d bytes:\n%s", len(text), text)
		}
	})
}

// TestTricklingAlertsAreGathered: something new each minute for three hours is
// told in mails ten minutes apart.
func TestTricklingAlertsAreGathered(t *testing.T) {
	bubble(t, func(h *house) {
		defer h.watch(maintainer)()
		for i := range 180 {
			h.open(fmt.Sprintf("domain d%03d.example", i), "421 no", 4*time.Hour)
			time.Sleep(time.Minute)
		}
		time.Sleep(30 * time.Minute)
		ls := h.relay.letters()
		if len(ls) > 20 {
			t.Errorf("%d mails", len(ls))
		}
		var all strings.Builder
		for i, l := range ls {
			all.WriteString(l.Text)
			if i > 0 && l.At.Sub(ls[i-1].At) < 10*time.Minute {
				t.Errorf("a mail %v after another", l.At.Sub(ls[i-1].At))
			}
		}
		for i := range 180 {
			if name := fmt.Sprintf("d%03d.example", i); !strings.Contains(all.String(), name) {
				t.Errorf("no mail tells of %s", name)
			}
		}
	})
}

// TestTroubleThatComesAndGoes is told of once an hour at most.
func TestTroubleThatComesAndGoes(t *testing.T) {
	bubble(t, func(h *house) {
		defer h.watch(maintainer)()
		for range 30 {
			h.run(store.EditionFailed, "no", false)
			time.Sleep(3 * time.Minute)
			h.run(store.EditionSkipped, "no new posts", false)
			time.Sleep(3 * time.Minute)
		}
		time.Sleep(time.Hour)
		ls := h.relay.letters()
		if len(ls) < 2 || len(ls) > 4 || !strings.Contains(ls[1].Text, "came and went") {
			t.Errorf("in 4 hours %q", h.relay.subjects())
		}
		for i := range ls[1:] {
			if d := ls[i+1].At.Sub(ls[i].At); d < time.Hour {
				t.Errorf("two mails within %v", d)
			}
		}
	})
}

// TestARelayThatIsDownForHours is told of in one mail, when it is back,
// whatever restarted meanwhile.
func TestARelayThatIsDownForHours(t *testing.T) {
	bubble(t, func(h *house) {
		stop := h.watch(maintainer)
		h.relay.setDown(errors.New("connection refused"))
		m := newsletter.NewMessenger(h.Service, h.relay, nil, h.gate, nil)
		ctx, cancel := context.WithCancel(h.t.Context())
		go func() { // as a Sender does
			for h.Clock.Sleep(ctx, 10*time.Second) == nil {
				_, _ = m.Post(ctx, relay.Envelope{From: "news@example.org", To: maintainer}, nil)
				_ = h.gate.Sync(ctx)
			}
		}()
		time.Sleep(2 * time.Hour)
		h.run(store.EditionFailed, "no", false)
		time.Sleep(time.Hour)
		stop()
		stop = h.watch(maintainer)
		time.Sleep(time.Hour)
		cancel()
		if open := h.alerts(false); !slices.Equal(open, []string{"The mail server takes no mails", "The run of daily of 2000-01-01 02:00 failed"}) {
			t.Errorf("meanwhile %q", open)
		}
		if n := h.relay.dialled(); n > 150 {
			t.Errorf("it was dialled %d times", n)
		}
		h.relay.setDown(nil)
		time.Sleep(2 * time.Hour)
		if got := h.relay.subjects(); !slices.Equal(got, []string{"2 alerts: The mail server takes no mails, …"}) {
			t.Fatalf("mailed %q", got)
		}
		text := strings.Join(strings.Fields(h.relay.letters()[0].Text), " ")
		if !strings.Contains(text, "has taken no mails since 2000-01-01 00:00 UTC: relay, dial: connection refused.") {
			t.Errorf("the mail: %s", text)
		}
		stop()
	})
}

// TestAMailThatIsRefused is tried again, though not often.
func TestAMailThatIsRefused(t *testing.T) {
	for kind, most := range map[relay.Kind]int{relay.Temporary: 200, relay.Permanent: 5} {
		bubble(t, func(h *house) {
			defer h.watch(maintainer)()
			h.relay.refuse(&relay.Error{Phase: relay.PhaseRcpt, Kind: kind, Reply: relay.Reply{Code: 450, Text: "no"}})
			h.run(store.EditionFailed, "no", false)
			time.Sleep(3 * time.Hour)
			if n := h.relay.dialled(); n < 3 || n > most {
				t.Errorf("%v: %d attempts in three hours", kind, n)
			}
			h.relay.refuse(nil)
			time.Sleep(90 * time.Minute)
			if n := len(h.relay.letters()); n != 1 {
				t.Errorf("%v: %d mails", kind, n)
			}
		})
	}
}

// TestARestartTellsNothingAgain: what was told stays told, and what goes on
// is not over because the process forgot how long it had lasted.
func TestARestartTellsNothingAgain(t *testing.T) {
	bubble(t, func(h *house) {
		stop := h.watch(maintainer)
		h.edition(3, store.EditionSending)
		h.set(func() { h.alarm = &catalog.Alarm{Since: time.Now(), Missing: []string{"a.md"}, Known: 4} })
		time.Sleep(15 * time.Minute)
		h.open("domain example.com", "421 no", 24*time.Hour)
		time.Sleep(15 * time.Minute)
		want := []string{"Many posts vanished at once", "Edition 1 of daily does not get on", "example.com takes no mails from here"}
		if got := h.relay.subjects(); !slices.Equal(got, want) {
			t.Fatalf("before: %q", got)
		}
		for range 5 {
			stop()
			stop = h.watch(maintainer)
			time.Sleep(3 * time.Minute)
		}
		if got := h.relay.subjects(); !slices.Equal(got, want) {
			t.Errorf("after restarts: %q", got)
		}
		if n := len(h.alerts(true)); n != 3 {
			t.Errorf("%d alerts on record", n)
		}
		stop()
	})
}

// refusing is a database that cannot be written while the disk is full.
type refusing struct {
	store.Store
	full atomic.Bool
}

func (s *refusing) KeepAlerts(ctx context.Context, now time.Time, kinds []string, present []store.Alert) error {
	if s.full.Load() {
		return fmt.Errorf("keep alerts: %w: disk full", store.ErrUnwritable)
	}
	return s.Store.KeepAlerts(ctx, now, kinds, present)
}

func (s *refusing) ClaimAlerts(ctx context.Context, now, until, quiet time.Time) ([]store.Alert, error) {
	if s.full.Load() {
		return nil, fmt.Errorf("claim alerts: %w: disk full", store.ErrUnwritable)
	}
	return s.Store.ClaimAlerts(ctx, now, until, quiet)
}

// TestADatabaseThatCannotBeWritten cannot hold the alert of it: it is mailed
// all the same, and put on record afterwards.
func TestADatabaseThatCannotBeWritten(t *testing.T) {
	bubble(t, func(h *house) {
		db := &refusing{Store: h.Store}
		db.full.Store(true)
		h.Store = db
		h.ready = fmt.Errorf("write: %w: disk full", store.ErrUnwritable)
		stop := h.watch(maintainer)
		time.Sleep(150 * time.Minute)
		stopped := "Sending stopped: the disk or the database does not work"
		if got := h.relay.subjects(); !slices.Equal(got, []string{stopped, stopped, stopped}) {
			t.Errorf("in two and a half hours %q, want one each hour", got)
		}
		db.full.Store(false)
		h.set(func() { h.ready = nil })
		time.Sleep(20 * time.Minute)
		if got := h.relay.subjects(); len(got) != 4 || got[3] != "Sending goes on" {
			t.Errorf("then %q", got)
		}
		if got := h.alerts(true); !slices.Equal(got, []string{"Sending goes on"}) {
			t.Errorf("on record %q", got)
		}
		stop()
	})
}

func TestWithoutAnAddressNothingIsMailed(t *testing.T) {
	bubble(t, func(h *house) {
		stop := h.watch("")
		h.run(store.EditionFailed, "no", false)
		time.Sleep(5 * time.Minute)
		if len(h.relay.letters()) != 0 || len(h.alerts(false)) != 1 {
			t.Errorf("mailed %q, open %q", h.relay.subjects(), h.alerts(false))
		}
		for name, want := range map[string]float64{"run": 1, "posts": 0} {
			if got := h.metric("tidings_alerts", name); got != want {
				t.Errorf("tidings_alerts of %s = %v, want %v", name, got, want)
			}
		}
		stop()
		defer h.watch(maintainer)()
		time.Sleep(time.Hour)
		if got := h.relay.subjects(); len(got) > 0 {
			t.Errorf("an address brought up old news: %q", got)
		}
	})
}

func TestMetricsOfNewsletters(t *testing.T) {
	bubble(t, func(h *house) {
		defer h.watch("")()
		h.seen()
		ran := float64(time.Now().Unix())
		h.run(store.EditionSkipped, "no new posts", false)
		h.edition(3, store.EditionPlanned)
		time.Sleep(2 * time.Minute)
		for name, want := range map[string]float64{
			"tidings_schedule_last_run_timestamp_seconds": ran,
			"tidings_schedule_next_run_timestamp_seconds": float64(time.Date(2000, 1, 1, 8, 0, 0, 0, time.UTC).Unix()),
			"tidings_editions_pending":                    1,
		} {
			if got := h.metric(name, "daily"); got != want {
				t.Errorf("%s = %v, want %v", name, got, want)
			}
		}
	})
}

// metric gives the gauge of a name that has a label of that value.
func (h *house) metric(name, label string) float64 {
	h.t.Helper()
	families, err := h.registry.Gather()
	h.check(err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && m.GetLabel()[0].GetValue() == label {
				return m.GetGauge().GetValue()
			}
		}
	}
	h.t.Errorf("there is no %s of %s", name, label)
	return 0
}
