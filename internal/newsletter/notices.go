package newsletter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"tidings/internal/digest"
	"tidings/internal/mail"
	"tidings/internal/pace"
	"tidings/internal/relay"
	"tidings/internal/store"
	"tidings/internal/token"
)

// A Messenger sends the low-volume mails that people wait for: confirmations,
// and what others Post.
type Messenger struct {
	service *Service
	relay   relay.Relay
	sign    func([]byte) ([]byte, error)
	pace    *pace.Gate
	metrics *Metrics
	bounces *Bounces
	wake    chan struct{}
}

// NewMessenger makes a Messenger; sign, gate and metrics may be nil.
func NewMessenger(s *Service, r relay.Relay, sign func([]byte) ([]byte, error), gate *pace.Gate, m *Metrics) *Messenger {
	if m == nil {
		m = NewMetrics(nil)
	}
	if gate == nil {
		gate = pace.New(pace.Config{}, s.Store, s.Clock, s.Log)
	}
	return &Messenger{service: s, relay: r, sign: sign, pace: gate, metrics: m, bounces: NewBounces(s, m), wake: make(chan struct{}, 1)}
}

// Wake makes the Messenger look for notices at once.
func (m *Messenger) Wake() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// pause waits for a while, or for a Wake.
func (m *Messenger) pause(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-m.wake:
			cancel()
		case <-ctx.Done():
		}
	}()
	_ = m.service.Clock.Sleep(ctx, noticeEvery) // ends early with ctx
}

const (
	noticeEvery = time.Second
	noticeBatch = 20
	noticeLease = 5 * time.Minute // a Messenger that dies is followed by another after this
	noticeBase  = 30 * time.Second
	noticeWorth = 24 * time.Hour // a confirmation mail nobody waits for any more
)

// Run is RunUntil where both ends are one.
func (m *Messenger) Run(ctx context.Context) error { return m.RunUntil(ctx, ctx) }

// RunUntil sends notices as they come until ctx ends. One that is on the wire
// then is finished, or cut off after wireWithin once stop has ended.
func (m *Messenger) RunUntil(ctx, stop context.Context) error {
	told := false
	for ctx.Err() == nil {
		n, err := m.round(ctx, stop)
		if err != nil && ctx.Err() == nil && !told {
			m.service.Log.Error("notices cannot be sent; trying again", "error", err)
		}
		told = err != nil
		if n < noticeBatch {
			m.pause(ctx)
		}
	}
	return nil
}

// round attends to sign-ups and sends what is due; it gives how many that was,
// of whichever were more.
func (m *Messenger) round(ctx, stop context.Context) (int, error) {
	now := m.service.Clock.Now()
	applied, err := m.service.Store.ApplySignUps(ctx, now, noticeBatch)
	if err != nil {
		return 0, err
	}
	due, err := m.service.Store.ClaimNotices(ctx, now, now.Add(noticeLease), noticeBatch)
	if err != nil {
		return 0, err
	}
	wire, cut := after(stop, wireWithin)
	defer cut()
	keep, end := after(stop, drainWithin)
	defer end()
	for _, n := range due {
		if err := m.record(keep, m.attend(ctx, wire, n)); err != nil {
			return 0, err
		}
	}
	return max(len(due), applied), nil
}

// attend sends a notice when it may begin; ctx ends before that at shutdown.
func (m *Messenger) attend(ctx, wire context.Context, n store.Notice) store.NoticeResult {
	pass, until := m.pace.Admit(ctx, pace.Mail{Newsletter: n.Newsletter, Domain: pace.Domain(n.Email), Urgent: true})
	if pass == nil {
		return store.NoticeResult{ID: n.ID, Held: true, NextAt: until, Reason: "not begun yet"}
	}
	if ctx.Err() != nil {
		until = pass.Done(pace.Unused, "")
		return store.NoticeResult{ID: n.ID, Held: true, NextAt: until, Reason: "stopped before its turn"}
	}
	return m.send(wire, pass, n)
}

// record keeps what became of a notice: as long as that is not on record, it
// would be sent again.
func (m *Messenger) record(ctx context.Context, r store.NoticeResult) error {
	ctx, cancel := context.WithTimeout(ctx, drainWithin)
	defer cancel()
	for {
		err := m.service.Store.RecordNotice(ctx, m.service.Clock.Now(), r)
		if err == nil || !transient(err) {
			return err
		}
		if m.service.Clock.Sleep(ctx, retryCommit) != nil {
			return fmt.Errorf("record notice %d: %w", r.ID, err)
		}
	}
}

// send makes one attempt at a notice.
func (m *Messenger) send(ctx context.Context, pass *pace.Pass, n store.Notice) store.NoticeResult {
	now := m.service.Clock.Now()
	r := store.NoticeResult{ID: n.ID}
	err := m.deliver(ctx, n)
	if err == nil {
		pass.Done(pace.Accepted, "")
		r.Sent = true
		m.metrics.notice("sent")
		return r
	}
	f := failureOf(err)
	until := pass.Done(noticeVerdict(err, f), err.Error())
	switch {
	case hopeless(err, f) || now.Sub(n.CreatedAt) > noticeWorth:
		r.Failed = true
		m.metrics.notice("failed")
		if f.Kind == relay.Permanent && f.class != "" && n.Kind != store.NoticeAddress { // a refusal there says nothing of the address on record
			m.bounces.recordRefused(ctx, []store.Bounce{*f.bounce(store.DeliveryRef{Seq: n.ID})})
		}
	default:
		r.NextAt = later(until, now.Add(backoff(noticeBase, n.Attempts)))
		m.metrics.notice("deferred")
	}
	r.Reason = err.Error()
	m.service.Log.Warn("a confirmation mail was not sent", "notice", n.ID, "given_up", r.Failed, "error", err)
	return r
}

// noticeVerdict says what a failed attempt means for the mails to come.
func noticeVerdict(err error, f failure) pace.Verdict {
	if !errors.Is(err, f.Error) {
		return pace.Unused // it was not made
	}
	return f.verdict(nil)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (m *Messenger) deliver(ctx context.Context, n store.Notice) error {
	compose := m.service.personalMail
	if n.Kind == store.NoticeConfirm {
		compose = m.service.confirmation
	}
	env, msg, err := compose(ctx, n)
	if err != nil {
		return err
	}
	return m.handOver(ctx, env, msg)
}

// handOver signs a mail and gives it to the relay.
func (m *Messenger) handOver(ctx context.Context, env relay.Envelope, msg []byte) (err error) {
	if m.sign != nil {
		if msg, err = m.sign(msg); err != nil {
			return fmt.Errorf("sign: %w", err)
		}
	}
	return sendOne(ctx, m.relay, env, msg)
}

// confirmation makes the double opt-in mail. It holds nothing that the
// visitor typed but their address.
func (s *Service) confirmation(ctx context.Context, n store.Notice) (relay.Envelope, []byte, error) {
	letter, err := s.Newsletter(n.Newsletter)
	if err != nil {
		return relay.Envelope{}, nil, err
	}
	claim, subs, err := s.asking(ctx, n)
	if err != nil {
		return relay.Envelope{}, nil, fmt.Errorf("notice %d: %w", n.ID, err)
	}
	tok := s.Key.Sign(claim)
	msg, err := s.Templates.Confirm(digest.ConfirmInput{
		Site:       s.site(),
		Newsletter: s.masthead(letter),
		Base:       s.Site.BaseURL.String(),
		Asked:      asked(subs),
		Date:       n.CreatedAt,
		ValidUntil: claim.Expires,
		Language:   subs[0].Language,
	})
	if err != nil {
		return relay.Envelope{}, nil, fmt.Errorf("compose a confirmation: %w", err)
	}
	return s.fill(letter, msg, n, digest.SlotConfirm, tok)
}

// asking gives what a confirmation asks about: what its sign-up asked for, or of
// an import what is pending.
func (s *Service) asking(ctx context.Context, n store.Notice) (token.Claim, []Subscription, error) {
	who, err := s.Store.Subscriber(ctx, n.SubscriberID)
	if errors.Is(err, store.ErrNotFound) {
		return token.Claim{}, nil, ErrToken // erased since
	}
	if err != nil {
		return token.Claim{}, nil, err
	}
	if n.SignUpID != 0 {
		subs, err := s.wished(ctx, who, n.SignUpID)
		return s.wishClaim(who.ID, n.SignUpID, n.CreatedAt), subs, err
	}
	var names []string
	var subs []Subscription
	for _, sub := range who.Subscriptions {
		together := sub.Newsletter == n.Newsletter || sub.AskedAt.Equal(n.CreatedAt)
		if sub.Status == store.StatusPending && together {
			names, subs = append(names, sub.Newsletter), append(subs, s.shown(who, sub))
		}
	}
	if len(subs) == 0 {
		return token.Claim{}, nil, ErrToken // confirmed or left since
	}
	return s.confirmClaim(n.SubscriberID, names, n.CreatedAt), subs, nil
}

// asked gives what a confirmation names.
func asked(subs []Subscription) (list []digest.Asked) {
	for _, sub := range subs {
		list = append(list, digest.Asked{
			Title: sub.Title, Topics: slices.Concat(sub.Categories, sub.Tags), Frequency: sub.Frequency, Hour: sub.Hour, Zone: sub.Timezone,
			TextOnly: sub.Format == store.FormatText,
		})
	}
	return list
}

func (s *Service) fill(letter Newsletter, msg mail.Message, n store.Notice, slot, tok string) (relay.Envelope, []byte, error) {
	t, err := mail.Compile(msg)
	if err != nil {
		return relay.Envelope{}, nil, fmt.Errorf("build a confirmation: %w", err)
	}
	_, from, err := mail.ParseMailbox(letter.From)
	if err != nil {
		return relay.Envelope{}, nil, fmt.Errorf("newsletter %s: from: %w", letter.Name, err)
	}
	tag, known := s.tag(store.DeliveryRef{Seq: n.ID}), ""
	if n.Kind != store.NoticeAddress { // whose bounces say nothing of the address on record
		known = tag
	}
	id := fmt.Sprintf("%s.%s@%s", strconv.FormatInt(n.CreatedAt.Unix(), 36), tag, from.Domain)
	out, err := t.Render(nil, mail.Recipient{To: n.Email, MessageID: id, Slots: map[string]string{slot: tok}})
	return relay.Envelope{From: s.returnPath(from.String(), known), To: n.Email}, out, err
}

// hopeless reports whether trying again is of no use.
func hopeless(err error, f failure) bool {
	return f.Kind == relay.Permanent && !f.ours() || errors.Is(err, ErrToken) || errors.Is(err, ErrNewsletter)
}
