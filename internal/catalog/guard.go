package catalog

import (
	"slices"
	"time"
)

// tolerated is the share of posts that may vanish at once without an alarm:
// one in five.
const tolerated = 5

// accidentSpan is how long losses are added up: a slow "rm -r" or a sync tool
// that deletes file by file is one accident, not many small deletions.
const accidentSpan = time.Minute

// A guard remembers what the roll needs to tell an accident from a deletion.
type guard struct {
	alarm   *Alarm
	recent  []loss           // believed within accidentSpan
	revived map[*record]bool // taken back when the alarm began: few enough to be deletions, had it not begun
}

// A loss is a missing post that was taken for deleted.
type loss struct {
	rec *record
	at  time.Time
}

// judge decides about the posts whose files are missing: a few are deleted,
// too many are an accident, and then nothing leaves until the files are back
// or the loss is accepted.
func (r *roll) judge(now time.Time) {
	r.guard.recent = slices.DeleteFunc(r.guard.recent, func(l loss) bool {
		return l.rec.state != gone || now.Sub(l.at) > accidentSpan || now.Before(l.at)
	})
	lost := len(r.missing) + len(r.guard.recent)
	known := len(r.present) + lost
	switch {
	case r.guard.alarm != nil:
		r.watchAlarm()
	case !r.missesPinned() || lost*tolerated <= known:
		for _, rec := range r.inOrder(r.missing) {
			r.bury(rec, now)
			r.guard.recent = append(r.guard.recent, loss{rec, now})
		}
	default:
		r.raise(now, known)
	}
}

func (r *roll) missesPinned() bool {
	for rec := range r.missing {
		if rec.pinned() {
			return true
		}
	}
	return false
}

// missesMore reports whether posts are missing that the alarm began with.
func (r *roll) missesMore() bool {
	for rec := range r.missing {
		if rec.pinned() && !r.guard.revived[rec] {
			return true
		}
	}
	return false
}

// bury makes a missing post a gone one.
func (r *roll) bury(rec *record, at time.Time) {
	delete(r.missing, rec)
	rec.state = gone
	if r.paths[rec.row.Path] == rec {
		delete(r.paths, rec.row.Path)
	}
	if !rec.pinned() {
		r.absent.remove(rec)
	}
	if rec.row.Gone.IsZero() {
		rec.row.Gone = instant(at)
		r.save(rec)
	}
	r.touch(rec)
}

// raise starts an alarm, and takes back what its first victims were taken for.
func (r *roll) raise(now time.Time, known int) {
	r.guard.revived = map[*record]bool{}
	for _, l := range r.guard.recent {
		if l.rec.pinned() {
			r.revive(l.rec)
			r.guard.revived[l.rec] = true
		}
	}
	r.guard.recent = nil
	r.guard.alarm = &Alarm{Since: now, Known: known}
	r.watchAlarm()
}

func (r *roll) revive(rec *record) {
	rec.state = missing
	rec.row.Gone = time.Time{}
	r.missing[rec] = true
	r.reclaim(rec)
	r.save(rec)
}

// watchAlarm keeps the alarm's list true, and ends the alarm when nothing
// that readers saw is missing any more, but for what had been deleted before.
func (r *roll) watchAlarm() {
	if !r.missesMore() {
		for _, rec := range r.inOrder(r.missing) {
			r.bury(rec, r.guard.alarm.Since)
		}
		r.guard.alarm, r.guard.revived = nil, nil
		return
	}
	files := r.missingFiles()
	if !slices.Equal(files, r.guard.alarm.Missing) {
		r.guard.alarm = &Alarm{Since: r.guard.alarm.Since, Known: r.guard.alarm.Known, Missing: files}
	}
}

// missingFiles names the missing posts that readers have seen.
func (r *roll) missingFiles() []string {
	var files []string
	for rec := range r.missing {
		if rec.pinned() {
			files = append(files, rec.row.File)
		}
	}
	slices.Sort(files)
	return files
}
