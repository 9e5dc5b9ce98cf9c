package newsletter

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"tidings/internal/mail"
	"tidings/internal/relay"
	"tidings/internal/store"
	"tidings/internal/token"
)

// A composer renders the mail of single deliveries from the frozen mail of
// their groups. It keeps the groups of recent editions at hand.
type composer struct {
	service *Service
	sign    func([]byte) ([]byte, error) // nil: mails are not signed
	sends   bool                         // they are not only looked at

	mu     sync.Mutex
	groups map[groupRef]*frozen
}

type groupRef struct {
	edition int64
	number  int
}

// frozen is a group's mail, ready to render.
type frozen struct {
	template *mail.Template
	edition  string // names it on the web; "" if the mail does not say where that is
	sender   string
	base     string
	date     time.Time
}

// groupsAtHand bounds the composer's memory.
const groupsAtHand = 64

func newComposer(s *Service, sign func([]byte) ([]byte, error)) *composer {
	return &composer{service: s, sign: sign, groups: map[groupRef]*frozen{}}
}

// message gives the envelope and the finished bytes of a delivery, in buf if
// they fit, and when it was to be sent. They are the same at every attempt, and
// when they are looked at, unless the mail is sent earlier than was foreseen,
// because its reader has no quiet hours any more: none is dated later than that.
func (c *composer) message(ctx context.Context, j store.Job, buf []byte) (env relay.Envelope, msg []byte, intended time.Time, err error) {
	n, err := c.service.Newsletter(j.Newsletter)
	if err != nil {
		return env, nil, intended, err
	}
	f, err := c.group(ctx, groupRef{j.EditionID, j.Group})
	if err != nil {
		return env, nil, intended, err
	}
	tag := c.service.tag(j.DeliveryRef)
	intended = f.date
	id := strconv.FormatInt(intended.Unix(), 36) + "." + tag
	if now := c.service.Clock.Now(); c.sends && f.date.After(now) {
		early := *f
		early.template = f.template.Dated(now)
		f = &early
	}
	env, msg, err = c.render(buf, n, f, j.Email, id, tag, j.SubscriberID)
	return env, msg, intended, err
}

// render fills a digest's slots for one reader.
func (c *composer) render(buf []byte, n Newsletter, f *frozen, to, id, tag string, subscriber int64) (relay.Envelope, []byte, error) {
	leave := c.service.Key.Sign(token.Claim{Purpose: toUnsubscribe, Subscriber: subscriber, Newsletter: n.Name})
	msg, err := f.template.Render(buf, mail.Recipient{
		To:        to,
		MessageID: id + "@" + f.sender[strings.LastIndexByte(f.sender, '@')+1:],
		Headers:   listHeaders(cmp.Or(f.base, c.service.Site.BaseURL.String()), leave, c.service.leaveAddress(subscriber, n.Name)),
		Slots:     f.slots(leave),
	})
	if err != nil {
		return relay.Envelope{}, nil, fmt.Errorf("render: %w", err)
	}
	if c.sign != nil {
		if msg, err = c.sign(msg); err != nil {
			return relay.Envelope{}, nil, fmt.Errorf("sign: %w", err)
		}
	}
	return relay.Envelope{From: c.service.returnPath(f.sender, tag), To: to}, msg, nil
}

// listHeaders gives List-Unsubscribe (RFC 2369 §3.2), and the header that
// makes it one-click (RFC 8058 §3.1) where the address is https. base is where
// links began when the mail was composed: it is the same mail at every attempt.
func listHeaders(base, leave, address string) []mail.Header {
	ways := "<" + linkFrom(base, "unsubscribe", leave) + ">"
	if address != "" {
		ways += ", <mailto:" + address + "?subject=unsubscribe>"
	}
	hs := []mail.Header{{Name: "List-Unsubscribe", Value: ways}}
	if strings.HasPrefix(base, "https:") {
		hs = append(hs, mail.Header{Name: "List-Unsubscribe-Post", Value: "List-Unsubscribe=One-Click"})
	}
	return hs
}

func (c *composer) group(ctx context.Context, ref groupRef) (*frozen, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.groups[ref]; ok {
		return f, nil
	}
	g, err := c.service.Store.Group(ctx, ref.edition, ref.number)
	if err != nil {
		return nil, fmt.Errorf("read the mail of edition %d: %w", ref.edition, err)
	}
	f, err := c.service.thaw(g)
	if err != nil {
		return nil, fmt.Errorf("read the mail of edition %d: %w", ref.edition, err)
	}
	if len(c.groups) >= groupsAtHand {
		clear(c.groups)
	}
	c.groups[ref] = f
	return f, nil
}

// Rendered gives a composed group's mail as one reader gets it; with
// subscriber 0 its links are those of a test copy.
func (s *Service) Rendered(g store.Group, n Newsletter, to string, subscriber int64) ([]byte, error) {
	_, msg, err := s.testCopy(nil, g, n, to, subscriber)
	return msg, err
}

func (s *Service) testCopy(sign func([]byte) ([]byte, error), g store.Group, n Newsletter, to string, subscriber int64) (relay.Envelope, []byte, error) {
	f, err := s.thaw(g)
	if err != nil {
		return relay.Envelope{}, nil, err
	}
	id := fmt.Sprintf("test.%s", strconv.FormatInt(s.Clock.Now().UnixNano(), 36))
	return newComposer(s, sign).render(nil, n, f, to, id, "", subscriber)
}

// SendTest mails a composed group to one address and records nothing.
func (s *Service) SendTest(ctx context.Context, r relay.Relay, sign func([]byte) ([]byte, error), g store.Group, n Newsletter, to string) error {
	if s.MailingOff != "" {
		return fmt.Errorf("%w: %s", ErrMailingOff, s.MailingOff)
	}
	a, err := mail.ParseAddress(to)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAddress, err)
	}
	env, msg, err := s.testCopy(sign, g, n, a.String(), 0)
	if err != nil {
		return err
	}
	if err := sendOne(ctx, r, env, msg); err != nil {
		return fmt.Errorf("send a test copy to %s: %w", a, err)
	}
	return nil
}

// sendOne hands over a single message.
func sendOne(ctx context.Context, r relay.Relay, env relay.Envelope, msg []byte) error {
	conn, err := r.Connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() // what the relay took stays taken, however the connection ends
	_, err = conn.Send(ctx, env, msg, nil)
	return err
}
