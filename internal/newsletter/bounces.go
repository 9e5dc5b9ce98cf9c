package newsletter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"tidings/internal/bounce"
	"tidings/internal/store"
)

// bouncePolicy is when bounces suppress an address. The share guards against
// receivers that, when something of theirs is broken, call everybody unknown.
var bouncePolicy = store.BouncePolicy{
	HeldShare: 0.05, HeldLeast: 100, HeldWithin: 10 * time.Minute,
	SoftLimit: 5, SoftOver: 14 * 24 * time.Hour,
}

// Bounces acts on what comes back: it finds the mail that a report is about,
// records what became of it, and suppresses whom it must.
type Bounces struct {
	service *Service
	metrics *Metrics
}

// NewBounces makes Bounces; m may be nil.
func NewBounces(s *Service, m *Metrics) *Bounces {
	if m == nil {
		m = NewMetrics(nil)
	}
	return &Bounces{service: s, metrics: m}
}

// What became of a report.
const (
	ReportSuppressed = "suppressed" // recorded, and the address is not mailed any more
	ReportRecorded   = "recorded"
	ReportHeld       = "held"     // recorded; it suppresses nobody, for too many say the same
	ReportRepeated   = "repeated" // on record already
	ReportIgnored    = "ignored"
)

// A Verdict is what was made of a report.
type Verdict struct {
	Kind       bounce.Kind `json:"kind"`
	Result     string      `json:"result"`             // ReportSuppressed …
	Reason     string      `json:"reason,omitempty"`   // why it is ignored
	Edition    int64       `json:"edition,omitempty"`  // of the mail, with
	Delivery   int64       `json:"delivery,omitempty"` // its number,
	Notice     int64       `json:"notice,omitempty"`   // or the number of a confirmation mail
	Email      string      `json:"email,omitempty"`
	Class      string      `json:"class,omitempty"`  // store.BounceHard …
	Status     string      `json:"status,omitempty"` // enhanced status code, or type of a complaint
	Diagnostic string      `json:"diagnostic,omitempty"`
}

// Takes reports whether mail to an address is a matter of Take: the address
// for bounces, or one made of it for a mail.
func (b *Bounces) Takes(address string) bool {
	tag, ours := b.service.returnTag(address)
	if !ours || tag == "" {
		return ours
	}
	_, ok := b.service.readTag(tag)
	_, _, leaves := b.service.leaver(address)
	return ok || leaves
}

// Take reads a message that came back and acts on it. recipient is the address
// to which it was mailed; "" if only its header tells. What is no report, or is
// about no mail of ours, is ignored; an error means that it should be tried
// again later.
func (b *Bounces) Take(ctx context.Context, recipient string, msg io.Reader) (Verdict, error) {
	report, err := bounce.Parse(msg)
	if err != nil {
		return b.ignore(Verdict{Kind: bounce.Other}, err.Error()), nil
	}
	for _, address := range append([]string{recipient}, report.To...) {
		if subscriber, newsletter, ok := b.service.leaver(address); ok {
			return b.leave(ctx, subscriber, newsletter, report)
		}
	}
	v := Verdict{Kind: report.Kind}
	ref, why := b.about(report, recipient)
	if why != "" {
		return b.ignore(v, why), nil
	}
	if v.Edition = ref.EditionID; v.Edition != 0 {
		v.Delivery = ref.Seq
	} else {
		v.Notice = ref.Seq
	}
	v.Email, err = b.service.Store.Addressee(ctx, ref)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return b.ignore(v, "the mail is not on record"), nil
	case err != nil:
		return v, err
	case v.Email == "":
		return b.ignore(v, "its reader was erased"), nil
	}
	if why := v.read(report); why != "" {
		return b.ignore(v, why), nil
	}
	results, err := b.record(ctx, []store.Bounce{{DeliveryRef: ref, Class: v.Class, Status: v.Status, Note: v.Diagnostic}})
	if err != nil {
		return v, err
	}
	v.Result = results[0]
	return v, nil
}

func (b *Bounces) ignore(v Verdict, why string) Verdict {
	v.Result, v.Reason = ReportIgnored, why
	b.metrics.report(v.Result)
	b.service.Log.Debug("a message that came back was ignored", "kind", v.Kind, "reason", why)
	return v
}

// about finds the mail that a report is about, or says why it is of no
// concern. Only tags count, for anybody can write a report: that of the address
// it was mailed to, or, where a standard says where to look, of the mail that
// it returns.
func (b *Bounces) about(r bounce.Report, recipient string) (ref store.DeliveryRef, why string) {
	switch r.Kind {
	case bounce.Other:
		return ref, "it is no report of undelivered mail"
	case bounce.AutoReply:
		return ref, "it is an automatic answer"
	}
	var tags []string
	for _, address := range append([]string{recipient}, r.To...) {
		tags = append(tags, b.service.tagOf(address))
	}
	if r.Kind != bounce.FreeText {
		tags = append(tags, b.service.tagOf(r.Original.ReturnPath), idTag(r.Original.MessageID))
	}
	for _, tag := range tags {
		if ref, ok := b.service.readTag(tag); ok {
			return ref, ""
		}
	}
	return ref, "it does not prove to be about a mail sent from here"
}

// read takes what a report says of the verdict's reader, or says why it is of
// no concern.
func (v *Verdict) read(r bounce.Report) (why string) {
	if r.Kind == bounce.Complaint {
		v.Status = r.Feedback
		v.Class = complaintClass(r.Feedback)
		if v.Class == "" {
			return fmt.Sprintf("feedback of the type %q is no complaint", r.Feedback)
		}
		return ""
	}
	x := r.For(v.Email)
	v.Status, v.Diagnostic = x.Status, x.Diagnostic
	if !x.GivenUp() {
		return strings.TrimSpace("the mail was not given up: " + x.Action)
	}
	if v.Status == "" {
		v.Status = bounce.StatusIn(x.Diagnostic)
	}
	v.Class = string(x.Class())
	return ""
}

// complaintClass gives the class of a feedback type (RFC 5965 §3.1, §7.3): what
// a person does against a mail, of whatever name, means that they want no more
// of it. A virus is the message's fault; the other types say nothing against
// the mail, or nothing of the person.
func complaintClass(feedback string) string {
	switch feedback {
	case "abuse", "fraud", "other", "opt-out", "opt-out-list":
		return store.BounceComplaint
	case "virus":
		return store.BounceContent
	}
	return ""
}

// record records bounces, tells of them, and gives what became of each.
func (b *Bounces) record(ctx context.Context, list []store.Bounce) ([]string, error) {
	outcomes, err := b.service.Store.RecordBounces(ctx, b.service.Clock.Now(), bouncePolicy, list)
	if err != nil {
		return nil, err
	}
	results := make([]string, len(list))
	for i, o := range outcomes {
		results[i] = resultOf(o)
		b.tell(list[i], o, results[i])
	}
	return results, nil
}

func resultOf(o store.BounceOutcome) string {
	switch {
	case !o.Known:
		return ReportIgnored // erased this moment
	case !o.New:
		return ReportRepeated
	case o.Suppressed:
		return ReportSuppressed
	case o.Held:
		return ReportHeld
	}
	return ReportRecorded
}

// tell counts and logs a bounce. A log holds the domain, but not the address.
func (b *Bounces) tell(x store.Bounce, o store.BounceOutcome, result string) {
	b.metrics.report(result)
	if !o.New {
		return
	}
	b.metrics.bounce(x.Class)
	log, level := b.service.Log, slog.LevelInfo
	if x.Class == store.BounceBlock || x.Class == store.BounceRelay {
		level = slog.LevelWarn // the sender's to mend
	}
	log.Log(context.Background(), level, "mail came back", "edition", x.EditionID, "mail", x.Seq,
		"class", x.Class, "status", x.Status, "domain", o.Domain, "result", result)
	if o.FirstHeld && x.EditionID == 0 {
		log.Error("suspiciously many addresses that were to confirm do not exist; while that goes on, they are not suppressed",
			"domain", o.Domain, "see", "tidings suppressions list")
	} else if o.FirstHeld {
		log.Error("suspiciously many addresses of an edition do not exist any more; from now on its hard bounces suppress nobody",
			"edition", x.EditionID, "domain", o.Domain, "see", fmt.Sprintf("tidings editions show %d", x.EditionID))
	}
}

// refusedWithin is for refusals that are left at the end.
const refusedWithin = 2 * time.Second

// recordRefused records refusals, also at shutdown. If that fails, they are
// merely not counted: that the mails failed is on record already.
func (b *Bounces) recordRefused(ctx context.Context, list []store.Bounce) {
	if len(list) == 0 {
		return
	}
	ctx, cancel := after(ctx, refusedWithin)
	defer cancel()
	if _, err := b.record(ctx, list); err != nil {
		b.service.Log.Error("refused mails were not counted as bounces", "mails", len(list), "error", err)
	}
}
