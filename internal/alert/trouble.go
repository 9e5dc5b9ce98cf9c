package alert

import (
	"context"
	"errors"
	"strings"
	"time"

	"tidings/internal/store"
)

// clockBehind is the alert of a clock that was set back; nil if it was not, as
// in a rehearsal, which may begin at any time.
func (w *Watch) clockBehind(ctx context.Context, v *view) ([]store.Alert, error) {
	if w.Service.Clock.Rehearsing() {
		return nil, nil
	}
	used, err := w.Service.Store.LastUsed(ctx)
	if err != nil || used.Sub(v.now) <= store.ClockSlack {
		return nil, err
	}
	v.excused = true
	return []store.Alert{{
		Key: "clock", Kind: Clock, Since: v.now,
		Subject: "The clock was set back: nothing is mailed",
		Text: text(
			"The database was in use at "+stamp(used, w.Zone)+", and by this machine's clock that is still to come. Either the clock is wrong now, or it was ahead before.",
			"tidings mails no digest until the clock has passed that instant, since what is due cannot be told by such a clock. Feeds and pages are served.",
			"Mend the clock, if it is wrong now. If it is right, and was ahead before, say so:\n"+command("tidings db clock --accept")),
	}}, nil
}

// stopped is the alert of a disk or database that does not work. A single bad
// look is none.
func (w *Watch) stopped(ctx context.Context, v *view) ([]store.Alert, error) {
	err := w.Ready(ctx)
	if err == nil || errors.Is(err, store.ErrClock) || errors.Is(err, store.ErrRestored) {
		w.stoppedSince = time.Time{}
		return nil, ctx.Err()
	}
	v.excused = true
	if w.stoppedSince.IsZero() {
		w.stoppedSince = v.now
		return nil, ctx.Err()
	}
	since := stamp(w.stoppedSince, w.Zone)
	return []store.Alert{{
		Key: "stopped", Kind: Stopped, Since: w.stoppedSince,
		Subject: "Sending stopped: the disk or the database does not work",
		Text: text(
			"Since "+since+" nothing can be put on record: "+strings.ReplaceAll(err.Error(), "\n", "; ")+".",
			"tidings mails nothing meanwhile, for what is not on record might be mailed twice. Feeds and pages are served. It tries again every second, and goes on by itself.",
			"Look whether the disk is full, whether the folder of the database can be written, and what the log of tidings says. Then:\n"+command("tidings db check")),
	}}, nil
}

// posts is the alert of many posts that vanished at once.
func (w *Watch) posts(_ context.Context, _ *view) ([]store.Alert, error) {
	a := w.Service.Posts().Alarm
	if a == nil || len(a.Missing) == 0 {
		return nil, nil
	}
	return []store.Alert{{
		Key: "posts", Kind: Posts, Since: a.Since,
		Subject: "Many posts vanished at once",
		Text: text(
			plural(len(a.Missing), "post")+" of "+number(a.Known)+" vanished since "+stamp(a.Since, w.Zone)+", such as "+a.Missing[0]+". More than a fifth at once is rather an accident, such as a folder that is not mounted, than meant.",
			"What was published stays published, in feeds and on pages, and is mailed as ever, until the posts are back or you say that they are to go.",
			"See which they are, and bring them back; or, if you deleted them, accept it:\n"+command("tidings posts check", "tidings posts check --accept")),
	}}, nil
}

func (w *Watch) templates(context.Context, *view) ([]store.Alert, error) {
	if w.Templates == nil {
		return nil, nil
	}
	since, err := w.Deps.Templates()
	if err == nil {
		return nil, nil
	}
	return []store.Alert{{
		Key: "templates", Kind: Templates, Since: since,
		Subject: "Your templates are broken",
		Text: text(
			"What was changed in them at "+stamp(since, w.Zone)+" or later cannot be used:\n"+command(strings.Split(err.Error(), "\n")...),
			"Mails and pages are made of the last good ones, until the daemon is restarted: it does not start with these.",
			"Mend them; they are taken over as soon as they are saved. This shows what is wrong:\n"+command("tidings config check")),
	}}, nil
}
