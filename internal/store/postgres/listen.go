package postgres

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
)

// Topics of which listeners hear.
const (
	Mails   = "mails"   // there is something to send
	Notices = "notices" // a person waits for a mail
	Posts   = "posts"   // what is on record of posts has changed
	All     = ""        // the connection is new: anything may have happened before
)

// listenAgain is how long a lost connection is left alone, at first and at most.
const (
	listenAgain  = time.Second
	listenLatest = 30 * time.Second
)

// Listen tells hear of what other processes do, by topic, until ctx ends. It
// connects again by itself: whoever listens looks by itself now and then, too,
// since nothing is heard meanwhile.
func Listen(ctx context.Context, address string, hear func(topic string), log *slog.Logger) error {
	c, err := configure(address, options{})
	if err != nil {
		return err
	}
	for wait := listenAgain; ctx.Err() == nil; wait = min(2*wait, listenLatest) {
		err := listen(ctx, c, func(topic string) {
			wait = listenAgain
			hear(topic)
		})
		if ctx.Err() != nil {
			break
		}
		log.Debug("not told of what other daemons do at present", "error", explain(err))
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	return nil
}

func listen(ctx context.Context, c *pgx.ConnConfig, hear func(string)) error {
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "LISTEN tidings"); err != nil {
		return err
	}
	hear(All)
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		hear(n.Payload)
	}
}
