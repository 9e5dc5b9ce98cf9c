package postgres

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"tidings/internal/store/transfer"
)

// Mark makes a database one that was restored.
func Mark(ctx context.Context, address string, saved time.Time) error {
	d, close, err := connect(ctx, address, options{}, func(*sql.DB) error { return nil })
	if err != nil {
		return err
	}
	return errors.Join(transfer.Mark(ctx, d, saved), close())
}
