package catalog

import (
	"cmp"
	"slices"
	"time"
)

// orphans are records without a file, by what may prove that a file is
// theirs. A record must not change while it is in here.
type orphans struct {
	byFile, byBytes, byBody, byTitle map[string][]*record
}

func newOrphans() orphans {
	return orphans{map[string][]*record{}, map[string][]*record{}, map[string][]*record{}, map[string][]*record{}}
}

func (o orphans) add(rec *record) {
	o.byFile[rec.row.File] = append(o.byFile[rec.row.File], rec)
	o.byBytes[rec.row.FileHash] = append(o.byBytes[rec.row.FileHash], rec)
	o.byBody[rec.row.BodyHash] = append(o.byBody[rec.row.BodyHash], rec)
	if key := rec.headline(); key != "" {
		o.byTitle[key] = append(o.byTitle[key], rec)
	}
}

func (o orphans) remove(rec *record) {
	without(o.byFile, rec.row.File, rec)
	without(o.byBytes, rec.row.FileHash, rec)
	without(o.byBody, rec.row.BodyHash, rec)
	without(o.byTitle, rec.headline(), rec)
}

func without(index map[string][]*record, key string, rec *record) {
	left := slices.DeleteFunc(index[key], func(r *record) bool { return r == rec })
	if len(left) == 0 {
		delete(index, key)
		return
	}
	index[key] = left
}

// headline is title and date, by which people know a post; "" if it lacks one.
func headline(title string, date time.Time) string {
	if title == "" || date.IsZero() {
		return ""
	}
	return instant(date).Format(time.RFC3339) + " " + title
}

func (rec *record) headline() string {
	return headline(rec.row.Title, rec.row.Dated)
}

// telling is how long a body must be, in bytes, to tell whose it is; shorter
// ones ("coming soon") are shared by posts that have nothing else in common.
const telling = 64

// A match finds out which record each found post belongs to. The strongest
// proof goes first: the same bytes in the same file, an explicit id, the same
// bytes elsewhere, the same file, the same body, the same title and date.
// Bytes go before the file's name, so that two files may change places.
type match struct {
	roll  *roll
	at    map[string]*finding // by file
	moved orphans             // records whose file holds other bytes now
}

// newMatch gives every finding its record, in finding.rec; those that are of
// new posts get none.
func newMatch(r *roll, posts []*finding) *match {
	m := &match{roll: r}
	m.each(posts, m.unchanged)
	rest := slices.DeleteFunc(slices.Clone(posts), func(f *finding) bool { return f.rec != nil })
	if len(rest) == 0 { // as at most starts
		return m
	}
	m.moved, m.at = newOrphans(), make(map[string]*finding, len(posts))
	for _, f := range posts {
		m.at[f.file] = f
	}
	for _, f := range posts {
		if own := r.present[f.file]; own != nil && !m.taken(own) {
			m.moved.add(own)
		}
	}
	for rec := range r.spoilt {
		if m.at[rec.row.File] == nil {
			m.moved.add(rec)
		}
	}
	for _, find := range []func(*finding) *record{m.byID, m.byBytes, m.byFile, m.returned, m.byBody, m.byTitle} {
		m.each(rest, find)
	}
	return m
}

// each gives every post without a record to find.
func (m *match) each(posts []*finding, find func(*finding) *record) {
	for _, f := range posts {
		if f.rec != nil {
			continue
		}
		if rec := find(f); rec != nil {
			f.rec, rec.match = rec, m
		}
	}
}

// taken reports whether a record was given to a post already.
func (m *match) taken(rec *record) bool { return rec.match == m }

func (m *match) unchanged(f *finding) *record {
	if own := m.roll.present[f.file]; own != nil && own.row.FileHash == f.post.Hash {
		return own
	}
	return nil
}

// byID gives the record whose id the post names, if that record's own file
// is not there, or names the id of yet another: two posts whose ids are the
// same by mistake keep apart.
func (m *match) byID(f *finding) *record {
	rec := m.roll.byGUID[f.post.GUID]
	if f.post.GUID == "" || rec == nil || m.taken(rec) {
		return nil
	}
	known := m.roll.present[f.file] != nil
	switch {
	case rec.state == missing:
		return rec
	case m.readable(rec) && (rec.row.File == f.file || m.renamed(rec)):
		return rec
	case !m.readable(rec) && !known: // left long ago, or broken
		return rec
	}
	return nil
}

// readable reports whether the record's file holds a post now.
func (m *match) readable(rec *record) bool {
	return rec.state == here || rec.state == spoiled && m.at[rec.row.File] != nil
}

// left reports whether a record's file holds nothing any more that looks like
// it, so that bytes found elsewhere are the post itself and not a copy.
func (m *match) left(rec *record) bool {
	if !m.readable(rec) {
		return true
	}
	now := m.at[rec.row.File]
	return now != nil && now.post.BodyHash != rec.row.BodyHash && (rec.row.Title == "" || now.post.Title != rec.row.Title)
}

// renamed reports whether the file of a record now holds another known post.
func (m *match) renamed(rec *record) bool {
	now := m.at[rec.row.File]
	return now != nil && now.post.GUID != "" && now.post.GUID != rec.row.GUID && m.roll.byGUID[now.post.GUID] != nil
}

func (m *match) byBytes(f *finding) *record {
	return m.best(f, m.moved.byBytes[f.post.Hash], m.roll.absent.byBytes[f.post.Hash])
}

func (m *match) byFile(f *finding) *record {
	if own := m.roll.present[f.file]; own != nil && !m.taken(own) {
		return own
	}
	for _, rec := range m.roll.absent.byFile[f.file] {
		if rec.state == missing && !m.taken(rec) {
			return rec
		}
	}
	return nil
}

// returned gives a post that left from this very file, if the one that is
// there now has its title or its date: a new post under an old name is new.
func (m *match) returned(f *finding) *record {
	like := func(rec *record) bool {
		return f.post.Title != "" && rec.row.Title == f.post.Title || instant(f.post.Published).Equal(rec.row.Dated)
	}
	candidates := slices.Clone(m.roll.absent.byFile[f.file])
	return m.best(f, slices.DeleteFunc(candidates, func(rec *record) bool { return !like(rec) }))
}

func (m *match) byBody(f *finding) *record {
	if f.post.BodySize < telling {
		return nil
	}
	return m.best(f, m.moved.byBody[f.post.BodyHash], m.roll.absent.byBody[f.post.BodyHash])
}

func (m *match) byTitle(f *finding) *record {
	key := headline(f.post.Title, f.post.Published)
	if key == "" {
		return nil
	}
	return m.best(f, m.moved.byTitle[key], m.roll.absent.byTitle[key])
}

// best chooses among records that f may belong to. Only a new file can bring
// back a post that left long ago: a file that was there before is not lightly
// given to another post.
func (m *match) best(f *finding, candidates ...[]*record) *record {
	var found *record
	known := m.roll.present[f.file] != nil
	for _, rec := range slices.Concat(candidates...) {
		if m.taken(rec) || known && rec.state == gone || !m.left(rec) {
			continue
		}
		if found == nil || closer(f, rec, found) < 0 {
			found = rec
		}
	}
	return found
}

// closer orders records by how likely f is theirs.
func closer(f *finding, a, b *record) int {
	return cmp.Or(
		cmp.Compare(a.state, b.state),
		-compareBool(sameName(f.file, a.row.File), sameName(f.file, b.row.File)),
		cmp.Compare(a.row.ID, b.row.ID),
		cmp.Compare(a.row.File, b.row.File),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
