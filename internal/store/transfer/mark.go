package transfer

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"tidings/internal/store/sqlstore"
)

// Mark makes a database one that was restored: nothing is mailed from it before
// a maintainer says how to go on (see [store.Restoring]). Numbers that were
// given to people, editions and notices since it was saved are on record
// nowhere, but stand in mails; so that they never mean another one, counting
// goes on far behind them.
func Mark(ctx context.Context, d Database, saved time.Time) error {
	return d.within(ctx, func() error { return mark(ctx, d, saved) })
}

func mark(ctx context.Context, d Database, saved time.Time) error {
	tables, err := d.Engine.Tables(ctx, d.Conn)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if leap[t.Name] == 0 {
			continue
		}
		n, err := d.Engine.LastNumber(ctx, d.Conn, t)
		if err == nil {
			err = d.Engine.SetLastNumber(ctx, d.Conn, t, n+leap[t.Name])
		}
		if err != nil {
			return fmt.Errorf("numbers of %s: %w", t.Name, err)
		}
	}
	p := d.Engine.Param
	return d.exec(ctx, `INSERT INTO meta (name, value) VALUES (`+p(1)+`, `+p(2)+`) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
		sqlstore.RestoredMark, strconv.FormatInt(saved.UnixMilli(), 10))
}

// leap is how far numbers move on: more than anybody loses with a day.
var leap = map[string]int64{"subscribers": 1_000_000, "notices": 1_000_000, "editions": 10_000}
