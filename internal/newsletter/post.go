package newsletter

import (
	"context"
	"errors"
	"time"

	"tidings/internal/pace"
	"tidings/internal/relay"
)

// HouseMail stands for a newsletter where a mail is of none of them. It is no
// newsletter's name, for those have no dots.
const HouseMail = "mail.from"

// ErrNotBegun says that a mail may not begin yet.
var ErrNotBegun = errors.New("not begun yet: the relay, or the domain of the address, takes no mail at present")

// Post makes one attempt at a finished mail that is of no newsletter. If it is
// not taken, an error says why, and next before when it is not to be tried
// again; ErrNotBegun if it was not tried.
func (m *Messenger) Post(ctx context.Context, env relay.Envelope, msg []byte) (next time.Time, err error) {
	pass, until := m.pace.Admit(ctx, pace.Mail{Newsletter: HouseMail, Domain: pace.Domain(env.To), Urgent: true})
	if pass == nil {
		return until, ErrNotBegun
	}
	wire, cut := after(ctx, wireWithin)
	defer cut()
	if err = m.handOver(wire, env, msg); err == nil {
		return pass.Done(pace.Accepted, ""), nil
	}
	return pass.Done(noticeVerdict(err, failureOf(err)), err.Error()), err
}

// PostAnyway is Post without asking whether the mail may begin, which cannot
// be told while the database does not work.
func (m *Messenger) PostAnyway(ctx context.Context, env relay.Envelope, msg []byte) error {
	wire, cut := after(ctx, wireWithin)
	defer cut()
	return m.handOver(wire, env, msg)
}
