package roster

import (
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"time"

	"tidings/internal/store"
)

// suppressionColumns are those of a file of suppressions. An address that was
// erased has nothing but its key, which means something only where the same
// secret made it.
var suppressionColumns = []string{"email", "key", "reason", "note", "at"}

// A Suppression is a line of a file of addresses that are never to be mailed.
type Suppression struct {
	Place
	Email, Key, Reason, Note string // one of Email and Key
	At                       time.Time
}

// ReadSuppressions gives fn every line of a file: CSV with a column email, or
// addresses one on each line. A line that is neither is a *Problem.
func ReadSuppressions(r io.ReaderAt, size int64, fn func(Suppression, error) error) error {
	t, err := openTable(io.NewSectionReader(r, 0, size))
	if err != nil {
		return err
	}
	if !t.has("key") {
		if _, err := t.needs(CSV, "email", "email_address", "e_mail", "mail"); err != nil {
			return err
		}
	}
	read := t.suppressions()
	for {
		cells, line, err := t.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var s Suppression
		if err == nil {
			s, err = read(cells)
		}
		var bad lineError
		switch place := (Place{Line: line}); {
		case errors.As(err, &bad):
			err = &Problem{place, string(bad)}
		case err != nil:
			return err
		default:
			s.Place = place
		}
		if err := fn(s, err); err != nil {
			return err
		}
	}
}

func (t *table) suppressions() func(cells []string) (Suppression, error) {
	email, key, at := t.column("email", "email_address", "e_mail", "mail"), t.column("key"), t.column("at")
	reason, note := t.column("reason"), t.column("note")
	return func(cells []string) (s Suppression, err error) {
		s = Suppression{Email: email(cells), Key: strings.ToLower(key(cells)), Reason: strings.ToLower(reason(cells)), Note: note(cells)}
		switch s.Reason {
		case "", store.ReasonManual, store.ReasonBounce, store.ReasonComplaint, store.ReasonErased, store.ReasonUnsubscribed:
		default:
			return s, badLine("reason %q is none of manual, bounce, complaint, erased, unsubscribed", shorten(s.Reason))
		}
		if _, err := hex.DecodeString(s.Key); err != nil || s.Email == "" && len(s.Key) != 64 {
			return s, badLine("it has neither an address nor the key of one")
		}
		s.At, err = readTime("at", at(cells))
		return s, err
	}
}

// WriteSuppressions writes what ReadSuppressions reads: each gives fn to call
// for every suppression.
func WriteSuppressions(w io.Writer, each func(fn func(store.Suppression) error) error) error {
	cw := csv.NewWriter(w)
	if err := cw.Write(suppressionColumns); err != nil {
		return wrapWrite(err)
	}
	err := each(func(s store.Suppression) error {
		key := ""
		if s.Email == "" {
			key = s.Key
		}
		return wrapWrite(cw.Write([]string{s.Email, key, s.Reason, s.Note, instant(s.At)}))
	})
	if err != nil {
		return err
	}
	cw.Flush()
	return wrapWrite(cw.Error())
}
