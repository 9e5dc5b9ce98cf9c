package relay

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	netmail "net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tidings/internal/mail"
)

// ErrNoMail is returned for an ID that is not, or no longer, in the box.
var ErrNoMail = errors.New("no such mail in the capture box")

// Mailbox reads captured mails. It has no state: another process may add
// mails at any time.
type Mailbox struct{ dir string }

// Item is a line in the list of captured mails.
type Item struct {
	ID       string
	From     string // header
	To       string // envelope
	Subject  string
	Date     time.Time // header; zero if it has none
	Received time.Time // to the microsecond
	Size     int64     // bytes, as stored
}

// Mail is one captured mail.
type Mail struct {
	Item
	mail.Content
	Envelope Envelope
	Raw      []byte // as it was sent
	Problem  string // why it could not be read to its end; "" if it could
}

// Count gives the number of mails.
func (b *Mailbox) Count() (int, error) {
	entries, err := b.entries()
	return len(entries), err
}

// List gives the newest mails first, at most limit; 0 means all. Only those
// are opened.
func (b *Mailbox) List(limit int) ([]Item, error) { return b.Before("", limit) }

// Before gives those that came before the mail with this ID, for paging.
func (b *Mailbox) Before(id string, limit int) ([]Item, error) {
	entries, err := b.entries()
	if err != nil {
		return nil, err
	}
	var items []Item
	for _, e := range entries {
		if id != "" && e.id >= id {
			continue
		}
		if limit > 0 && len(items) == limit {
			break
		}
		item, err := e.item()
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed or moved meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("list the capture box: %w", err)
		}
		items = append(items, item)
	}
	return items, nil
}

// An entry is one mail in its file.
type entry struct{ id, file string }

// entries gives all mails, newest first. Names that are not of this program's
// making are another mail program's, and left alone.
func (b *Mailbox) entries() ([]entry, error) {
	var list []entry
	for _, folder := range []string{folderNew, folderCur} {
		dir := filepath.Join(b.dir, folder)
		names, err := readNames(dir)
		if err != nil {
			return nil, fmt.Errorf("list the capture box: %w", err)
		}
		for _, name := range names {
			if id, _, _ := strings.Cut(name, ":"); isID(id) {
				list = append(list, entry{id, dir + string(filepath.Separator) + name})
			}
		}
	}
	slices.SortFunc(list, func(x, y entry) int { return strings.Compare(y.id, x.id) })
	return list, nil
}

// readNames gives the names in a directory without looking at the files; none
// if it does not exist.
func readNames(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

// isID reports whether s may name a captured mail: a plain file name with our
// ending. Nothing else is ever opened.
func isID(s string) bool {
	return len(s) < 200 && strings.HasSuffix(s, idEnding) && s[0] != '.' && !strings.ContainsAny(s, "/\\:\x00")
}

// find gives the mail with this ID. Only one that a mail program has moved
// costs a look at the whole box.
func (b *Mailbox) find(id string) (entry, error) {
	if !isID(id) {
		return entry{}, ErrNoMail
	}
	e := entry{id, filepath.Join(b.dir, folderNew, id)}
	if _, err := os.Lstat(e.file); !errors.Is(err, fs.ErrNotExist) {
		return e, err
	}
	entries, err := b.entries()
	if err != nil {
		return entry{}, err
	}
	i := slices.IndexFunc(entries, func(e entry) bool { return e.id == id })
	if i < 0 {
		return entry{}, ErrNoMail
	}
	return entries[i], nil
}

// item reads no more of the file than the header.
func (e entry) item() (Item, error) {
	f, err := os.Open(e.file)
	if err != nil {
		return Item{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Item{}, err
	}
	item := Item{ID: e.id, Received: received(e.id), Size: info.Size()}
	header, err := mail.ReadHeader(f)
	if err != nil {
		item.Subject = fmt.Sprintf("(%v)", err)
	} else {
		item.describe(header)
	}
	return item, nil
}

func (i *Item) describe(header mail.Fields) {
	i.To = header.Get("Delivered-To")
	i.From = header.Get("From")
	i.Subject = header.Get("Subject")
	i.Date, _ = netmail.ParseDate(header.Get("Date")) // zero if unreadable
}

// received reads the time out of an ID.
func received(id string) time.Time {
	var sec, usec int64
	if _, err := fmt.Sscanf(id, "%d.M%06d", &sec, &usec); err != nil {
		return time.Time{}
	}
	return time.Unix(sec, usec*1000).UTC()
}

// Open gives one mail; ErrNoMail if the box has none with this ID. One that
// is not well-formed is given as far as it can be read.
func (b *Mailbox) Open(id string) (Mail, error) {
	e, err := b.find(id)
	if err != nil {
		return Mail{}, fmt.Errorf("captured mail %q: %w", id, err)
	}
	stored, err := os.ReadFile(e.file)
	if err != nil {
		return Mail{}, fmt.Errorf("captured mail %q: %w", id, err)
	}
	m := Mail{Item: Item{ID: id, Received: received(id), Size: int64(len(stored))}}
	m.Envelope, m.Raw = cutEnvelope(stored)
	if m.Content, err = mail.Read(m.Raw); err != nil {
		m.Problem = err.Error()
	}
	m.describe(m.Header)
	m.To = m.Envelope.To
	return m, nil
}

// cutEnvelope undoes envelopeHeader.
func cutEnvelope(stored []byte) (Envelope, []byte) {
	first, rest, _ := bytes.Cut(stored, []byte("\r\n"))
	second, raw, found := bytes.Cut(rest, []byte("\r\n"))
	from, ok1 := strings.CutPrefix(string(first), returnPath)
	to, ok2 := strings.CutPrefix(string(second), deliveredTo)
	if !found || !ok1 || !ok2 {
		return Envelope{}, stored
	}
	return Envelope{From: strings.TrimSuffix(from, ">"), To: to}, raw
}
