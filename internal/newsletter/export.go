package newsletter

import (
	"context"
	"errors"
	"fmt"
	"io"

	"tidings/internal/roster"
	"tidings/internal/store"
)

// ExportCSV writes everyone, so that an import of the file with proven consent
// makes the same again, or changes nothing.
func (s *Service) ExportCSV(ctx context.Context, w io.Writer) error {
	reasons := map[string]string{} // by key
	err := s.Store.EachSuppression(ctx, func(x store.Suppression) error {
		reasons[x.Key] = x.Reason
		return nil
	})
	if err != nil {
		return fmt.Errorf("export subscribers: %w", err)
	}
	out, err := roster.NewWriter(w)
	if err != nil {
		return fmt.Errorf("export subscribers: %w", err)
	}
	err = s.Store.EachSubscriber(ctx, store.SubscriberFilter{}, func(who store.Subscriber) error {
		return out.Write(who, reasons[who.Key])
	})
	if err = errors.Join(err, out.Flush()); err != nil {
		return fmt.Errorf("export subscribers: %w", err)
	}
	return nil
}
