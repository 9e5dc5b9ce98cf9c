package sqlstore

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tidings/internal/store"
)

// millis is how a time is stored: Unix milliseconds, or nil for the zero time.
func millis(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// An instant reads a stored time.
type instant struct{ to *time.Time }

var _ sql.Scanner = instant{}

// Scan implements [sql.Scanner].
func (i instant) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*i.to = time.Time{}
	case int64:
		*i.to = time.UnixMilli(v).UTC()
	default:
		return fmt.Errorf("a time is stored as %T, not as Unix milliseconds", v)
	}
	return nil
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// encodeTerms is the canonical form of a list of term keys: sorted, each once.
func encodeTerms(keys []string) string {
	if len(keys) == 0 {
		return ""
	}
	sorted := slices.Compact(slices.Sorted(slices.Values(keys)))
	text, _ := json.Marshal(sorted) // strings cannot fail
	return string(text)
}

func decodeTerms(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	var keys []string
	if err := json.Unmarshal([]byte(text), &keys); err != nil {
		return nil, fmt.Errorf("stored list of terms %q: %w", text, err)
	}
	return keys, nil
}

// lower folds the ASCII letters, as the index of addresses does.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// maxReason bounds what is kept of a relay's reply, in bytes: a hostile relay
// must not fill the database.
const maxReason = 500

// clip makes foreign text fit to be stored.
func clip(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
	if len(s) <= maxReason {
		return s
	}
	end := maxReason
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// deliveryStates are the states of deliveries; their index is the number
// stored. Queries name the numbers themselves, so the order is fixed.
var deliveryStates = [...]string{
	0: store.DeliveryPending,
	1: store.DeliveryClaimed,
	2: store.DeliverySent,
	3: store.DeliveryFailed,
	4: store.DeliverySuppressed,
	5: store.DeliveryEmpty,
	6: store.DeliveryInDoubt,
}

func encodeState(name string) (int, error) {
	n := slices.Index(deliveryStates[:], name)
	if n < 0 {
		return 0, fmt.Errorf("%q is not a state of a delivery", name)
	}
	return n, nil
}

func decodeState(n int) (string, error) {
	if n < 0 || n >= len(deliveryStates) {
		return "", fmt.Errorf("stored delivery state %d is not known", n)
	}
	return deliveryStates[n], nil
}
