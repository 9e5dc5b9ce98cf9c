package catalog

import (
	"cmp"
	"path"
	"slices"
	"time"

	"tidings/internal/post"
	"tidings/internal/store"
)

// state says what is known of a record's file.
type state int

const (
	here    state = iota // the file is there and says what record.post holds
	spoiled              // the file is there, but cannot be used: the last good version stands
	missing              // the file is not there, and nothing has been made of that yet
	gone                 // the file left
)

// A record is one post through time: what is pinned about it, and what its
// file says.
type record struct {
	row      store.Post // GUID is "" until readers may first see the post
	post     *post.Post // last good version; nil while only the database has it
	source   []byte     // of post, until saved; nil also if it is to be read again
	stored   string     // hash of the source that the database has
	state    state
	bare     bool      // spoiled, because the file has no front matter any more
	spoilt   string    // hash of the bytes that spoiled it, to know them in another file
	lost     bool      // the database's last good version cannot be read
	wish     string    // the address its own front matter asks for, when last looked at
	url      string    // its address, if that is on another site
	entry    *Entry    // what readers see; nil if they do not
	told     *Departed // what they were told when it left
	match    *match    // the last one that gave it to a post
	warnings []post.Problem
}

// pinned reports whether readers have ever seen the post.
func (rec *record) pinned() bool { return rec.row.GUID != "" }

// A roll is the identity layer: it knows every post, recognises it when its
// file is renamed or comes back, and pins what must not change. It does no
// input or output, and what it does depends only on its state, the findings
// and the instant, never on their order.
type roll struct {
	cfg       Config
	present   map[string]*record // here or spoiled, by file
	absent    orphans            // missing or gone
	missing   map[*record]bool
	spoilt    map[*record]bool
	byGUID    map[string]*record
	byID      map[int64]*record
	paths     map[string]*record    // addresses in use; those of gone posts are free
	former    map[string]*record    // addresses that a post once had
	timed     map[*record]time.Time // records that time alone will show, hide or forget, and when
	hidden    map[*record]bool      // records with a file that readers do not see
	touched   map[*record]bool      // records whose entry may have changed
	unsaved   map[*record]bool
	warned    map[*record]bool // records with warnings
	withdrawn map[*record]bool // records that readers have seen and do not see
	restless  map[*record]bool // those that became so, or are so no more, or were looked at again
	guard     guard
}

func newRoll(cfg Config) *roll {
	return &roll{
		cfg: cfg, present: map[string]*record{}, absent: newOrphans(), missing: map[*record]bool{}, spoilt: map[*record]bool{},
		byGUID: map[string]*record{}, byID: map[int64]*record{},
		paths: map[string]*record{}, former: map[string]*record{},
		timed: map[*record]time.Time{}, hidden: map[*record]bool{}, touched: map[*record]bool{}, unsaved: map[*record]bool{}, warned: map[*record]bool{}, withdrawn: map[*record]bool{}, restless: map[*record]bool{},
	}
}

// restore fills a fresh roll with what the database has pinned. Posts that
// had a file then are taken to have it still, until the folder says no.
func (r *roll) restore(rows []store.Post, paths map[string]int64, now time.Time) {
	r.expect(len(rows))
	for _, row := range rows {
		rec := &record{row: happened(normal(row), now), stored: row.FileHash, state: spoiled}
		r.byID[row.ID], r.byGUID[row.GUID] = rec, rec
		if !row.Gone.IsZero() || r.present[row.File] != nil {
			rec.state = gone
			r.absent.add(rec)
			r.touched[rec] = true
			continue
		}
		r.present[row.File], r.spoilt[rec] = rec, true
		if row.Path != "" && r.paths[row.Path] == nil {
			r.paths[row.Path] = rec
		}
		r.touched[rec] = true
	}
	for p, id := range paths {
		if rec := r.byID[id]; rec != nil && rec.row.Path != p {
			r.former[p] = rec
		}
	}
}

// happened gives a row whose post was not seen, changed or announced later than
// now: whatever clock said so, it has been. A rehearsal may start before the post
// came to the store.
func happened(row store.Post, now time.Time) store.Post {
	for _, at := range []*time.Time{&row.FirstSeen, &row.Changed, &row.Announced} {
		*at = earlier(*at, now)
	}
	return row
}

// readopt gives records the ids and dates that the database has now.
func (r *roll) readopt(rows []store.Post) {
	var changed []*record
	for _, row := range rows {
		rec := r.byID[row.ID]
		if rec == nil || rec.row.Renamed || rec.row.GUID == row.GUID && rec.row.Published.Equal(instant(row.Published)) {
			continue
		}
		delete(r.byGUID, rec.row.GUID)
		rec.row.GUID, rec.row.Published = row.GUID, instant(row.Published)
		changed = append(changed, rec)
	}
	for _, rec := range changed { // only now: some may have changed theirs
		r.byGUID[rec.row.GUID] = rec
		r.touch(rec)
	}
}

// expect makes room for so many posts, which is cheaper than to grow.
func (r *roll) expect(n int) {
	r.present, r.paths = make(map[string]*record, n), make(map[string]*record, n)
	r.byGUID, r.byID = make(map[string]*record, n), make(map[int64]*record, n)
	r.spoilt, r.touched = make(map[*record]bool, n), make(map[*record]bool, n)
}

// normal gives a row's times the precision and zone of the database, so that
// they compare equal whether read or made.
func normal(row store.Post) store.Post {
	row.Published, row.FirstSeen = instant(row.Published), instant(row.FirstSeen)
	row.Changed, row.Gone, row.ModTime = instant(row.Changed), instant(row.Gone), instant(row.ModTime)
	row.Departed, row.Dated, row.Announced = instant(row.Departed), instant(row.Dated), instant(row.Announced)
	return row
}

func instant(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}

// differs reports whether a row is worth saving again. Another size or time
// of the same bytes is not.
func differs(a, b store.Post) bool {
	return a.GUID != b.GUID || a.File != b.File || a.FileHash != b.FileHash || a.BodyHash != b.BodyHash ||
		a.Title != b.Title || a.Path != b.Path || !a.Published.Equal(b.Published) ||
		!a.FirstSeen.Equal(b.FirstSeen) || !a.Changed.Equal(b.Changed) || !a.Gone.Equal(b.Gone) ||
		!a.Departed.Equal(b.Departed) || !a.Dated.Equal(b.Dated) || a.Announce != b.Announce || !a.Announced.Equal(b.Announced)
}

// see takes in what the folder found.
func (r *roll) see(now time.Time, found []finding) {
	var posts, strays []*finding
	for i := range found {
		f := &found[i]
		rec := r.present[f.file]
		switch {
		case f.kind == good:
			posts = append(posts, f)
		case rec == nil:
			strays = append(strays, f)
		case f.kind == vanished:
			r.lose(rec)
		case f.kind == notPost && !rec.pinned():
			r.drop(rec)
		default:
			rec.bare, rec.spoilt = f.kind == notPost, f.hash
			r.spoil(rec)
		}
	}
	for _, f := range strays {
		r.follow(f)
	}
	slices.SortFunc(posts, func(a, b *finding) int { return cmp.Compare(a.file, b.file) })
	m := newMatch(r, posts)
	for _, f := range posts {
		if rec := f.rec; rec != nil {
			r.detach(rec)
		}
	}
	for _, f := range posts {
		r.lodge(f.rec, f, now)
	}
	*m = match{} // records go on pointing to it
}

// follow keeps a post that was moved while its file could not be read: the
// same bytes in another file. Its last good version stays published.
func (r *roll) follow(f *finding) {
	if f.kind != broken || f.hash == "" {
		return
	}
	for _, rec := range r.inOrder(r.missing) {
		if rec.spoilt != f.hash {
			continue
		}
		r.detach(rec)
		rec.row.File = f.file
		r.present[f.file] = rec
		r.spoil(rec)
		r.save(rec)
		return
	}
}

// touch asks for the record's entry to be made anew.
func (r *roll) touch(rec *record) { r.touched[rec] = true }

func (r *roll) save(rec *record) {
	if rec.pinned() {
		r.unsaved[rec] = true
	}
	r.touch(rec)
}

// lose notes that a record's file is not there.
func (r *roll) lose(rec *record) {
	delete(r.present, rec.row.File)
	delete(r.spoilt, rec)
	rec.state = missing
	r.missing[rec] = true
	r.absent.add(rec)
	r.touch(rec)
}

// drop forgets a post that readers never saw.
func (r *roll) drop(rec *record) {
	r.detach(rec)
	delete(r.spoilt, rec)
	rec.state = gone
	r.touch(rec)
}

// spoil notes that a record's file says nothing usable.
func (r *roll) spoil(rec *record) {
	rec.state = spoiled
	r.spoilt[rec] = true
	r.touch(rec)
}

// detach takes a record out of the indexes by file and state.
func (r *roll) detach(rec *record) {
	if rec.state == missing || rec.state == gone {
		r.absent.remove(rec)
		delete(r.missing, rec)
	} else if r.present[rec.row.File] == rec {
		delete(r.present, rec.row.File)
	}
}

// lodge gives a post that was found to its record, or to a new one.
func (r *roll) lodge(rec *record, f *finding, now time.Time) {
	fresh := rec == nil
	if fresh {
		rec = &record{row: store.Post{Changed: earlier(f.modTime, now)}}
	}
	if other := r.present[f.file]; other != nil { // its file now holds another post
		r.lose(other)
	}
	before := rec.row
	if rec.post == nil || before.FileHash != f.post.Hash || before.File != f.file || rec.post.Enclosure != f.post.Enclosure {
		rec.post = r.cfg.naming.post(f.post)
	}
	if before.FileHash != f.post.Hash {
		rec.source = f.source
		if !fresh {
			rec.row.Changed = changed(before.Changed, f.modTime, now)
		}
	}
	rec.row.File, rec.row.FileHash, rec.row.BodyHash = f.file, f.post.Hash, f.post.BodyHash
	rec.row.Title, rec.row.Dated, rec.row.Gone = f.post.Title, instant(f.post.Published), time.Time{}
	rec.row.Size, rec.row.ModTime = f.size, instant(f.modTime)
	rec.announce(now)
	rec.state, rec.bare = here, false
	delete(r.spoilt, rec)
	r.present[f.file] = rec
	r.reclaim(rec)
	if differs(rec.row, before) {
		r.save(rec)
	}
	r.touch(rec)
}

// announce notes what the post asks of digests now. Only a wish that is seen to
// come up counts: one that stands in a file from the start, as after a move to
// a new database, mails nobody anything old.
func (rec *record) announce(now time.Time) {
	wish, before := rec.post.Announce, rec.row.Announce
	if rec.pinned() && wish != before && wish != "" && wish != post.Hold {
		rec.row.Announced = instant(now)
	}
	rec.row.Announce = wish
}

// reclaim gives a post that is back its address, if that is still free.
func (r *roll) reclaim(rec *record) {
	if p := rec.row.Path; p != "" && r.paths[p] == nil {
		r.paths[p] = rec
	}
}

// changed is when a file's content changed that was last known to have
// changed at before: its own time if that is later, else when it was noticed.
func changed(before, modTime, now time.Time) time.Time {
	if modTime.After(before) && !modTime.After(now) {
		return instant(modTime)
	}
	return instant(now)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return instant(a)
	}
	return instant(b)
}

// sameName reports whether two files have the same last element, or, as
// bundles do, the same folder.
func sameName(a, b string) bool {
	return path.Base(a) == path.Base(b) && (path.Base(path.Dir(a)) == path.Base(path.Dir(b)) || !isIndex(a))
}
