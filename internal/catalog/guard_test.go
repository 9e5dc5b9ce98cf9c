package catalog

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// eleven writes eleven posts and loads them.
func eleven(t *testing.T) *site {
	s := newSite(t)
	for i := range 11 {
		s.post(fmt.Sprintf("%02d.md", i), fmt.Sprintf("Post %d", i), fmt.Sprintf("2026-01-%02d", i+1))
	}
	if snap := s.load(); len(snap.Entries) != 11 {
		t.Fatalf("%d entries", len(snap.Entries))
	}
	return s
}

func TestSmallDeletion(t *testing.T) {
	s := eleven(t)
	s.remove("03.md", "04.md")
	for range 2 {
		snap := s.load()
		if len(snap.Entries) != 9 || snap.Alarm != nil || snap.Posts != 9 {
			t.Errorf("%d entries, alarm %v, %d posts", len(snap.Entries), snap.Alarm, snap.Posts)
		}
	}
}

func TestMassDisappearance(t *testing.T) {
	for name, vanish := range map[string]func(s *site){
		"three of eleven": func(s *site) { s.remove("03.md", "04.md", "05.md") },
		"directory empty": func(s *site) {
			for i := range 11 {
				s.remove(fmt.Sprintf("%02d.md", i))
			}
		},
		"directory gone": func(s *site) { must(s.t, os.RemoveAll(s.dir)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := eleven(t)
			before := s.load()
			vanish(s)
			if _, err := os.Stat(s.dir); err == nil {
				s.post("new.md", "New", "2026-02-01") // other changes go on
			}
			for range 2 {
				snap := s.load()
				if snap.Alarm == nil || snap.Alarm.Known != 11+snap.Posts-(11-len(snap.Alarm.Missing)) {
					t.Fatalf("alarm %+v, posts %d", snap.Alarm, snap.Posts)
				}
				for _, e := range before.Entries {
					if now := find(t, snap, e.File); now.ID != e.ID || s.cfg.text(t, now) == "" || now.BodyHash != e.BodyHash {
						t.Errorf("%s is not as it was", e.File)
					}
				}
			}
			if !strings.Contains(s.log.String(), "posts check --accept") {
				t.Errorf("the log does not say what to do:\n%s", s.log)
			}
		})
	}
}

func TestAccept(t *testing.T) {
	s := eleven(t)
	s.remove("03.md", "04.md")
	s.rename("05.md", "renamed.md")
	s.post("06.md", "New text", "2026-02-06")
	must(t, os.RemoveAll(s.path("07.md")))
	if snap := s.load(); snap.Alarm == nil || !slices.Equal(snap.Alarm.Missing, []string{"03.md", "04.md", "07.md"}) {
		t.Fatalf("alarm %+v", snap.Alarm)
	}
	n, err := Accept(context.Background(), s.cfg)
	if err != nil || n != 3 {
		t.Fatalf("accepted %d: %v", n, err)
	}
	if snap := s.load(); snap.Alarm != nil || len(snap.Entries) != 8 {
		t.Errorf("alarm %+v, %d entries", snap.Alarm, len(snap.Entries))
	}
	if n, err = Accept(context.Background(), s.cfg); err != nil || n != 0 {
		t.Errorf("accepted %d more: %v", n, err)
	}
}

// opened gives what keeps the store's posts, after its first look at them.
func (s *site) opened() *keeper {
	s.t.Helper()
	k, err := open(s.t.Context(), s.cfg)
	must(s.t, err)
	_, err = k.first(s.t.Context())
	must(s.t, err)
	return k
}

// TestSlowAccident deletes file after file: once it is too much, those that
// were taken for deleted come back.
func TestSlowAccident(t *testing.T) {
	s := eleven(t)
	ctx := context.Background()
	k := s.opened()
	left := []int{10, 9, 11, 11, 11}
	var snap *Snapshot
	for i, want := range left {
		s.pass(10 * time.Second)
		s.remove(fmt.Sprintf("%02d.md", i))
		change, err := k.pass(ctx, nil, true)
		must(t, err)
		if snap = change.Snapshot; len(snap.Entries) != want {
			t.Errorf("after %d deletions there are %d entries, want %d", i+1, len(snap.Entries), want)
		}
		check(t, snap)
	}
	if snap.Alarm == nil || len(snap.Alarm.Missing) != 5 || snap.Alarm.Known != 11 || !snap.Alarm.Since.Equal(noon.Add(30*time.Second)) {
		t.Errorf("alarm %+v", snap.Alarm)
	}
	for i := range left {
		s.post(fmt.Sprintf("%02d.md", i), fmt.Sprintf("Post %d", i), fmt.Sprintf("2026-01-%02d", i+1))
		change, err := k.pass(ctx, nil, false)
		must(t, err)
		snap = change.Snapshot
	}
	if snap.Alarm != nil || len(snap.Entries) != 11 {
		t.Errorf("all back: alarm %+v, %d entries", snap.Alarm, len(snap.Entries))
	}
}

// TestDeletionBeforeAccident has one post deleted just before others vanish by
// accident: when those are back, the deletion holds.
func TestDeletionBeforeAccident(t *testing.T) {
	s := eleven(t)
	ctx := context.Background()
	k := s.opened()
	pass := func(sure bool) *Snapshot {
		t.Helper()
		s.pass(10 * time.Second)
		change, err := k.pass(ctx, nil, sure)
		must(t, err)
		check(t, change.Snapshot)
		return change.Snapshot
	}
	s.remove("00.md")
	if snap := pass(true); len(snap.Entries) != 10 || snap.Alarm != nil {
		t.Fatalf("deleted: %d entries, alarm %+v", len(snap.Entries), snap.Alarm)
	}
	for _, i := range []int{1, 2, 3} {
		s.remove(fmt.Sprintf("%02d.md", i))
	}
	if snap := pass(true); len(snap.Entries) != 11 || snap.Alarm == nil {
		t.Fatalf("accident: %d entries, alarm %+v", len(snap.Entries), snap.Alarm)
	}
	for _, i := range []int{1, 2, 3} {
		s.post(fmt.Sprintf("%02d.md", i), fmt.Sprintf("Post %d", i), fmt.Sprintf("2026-01-%02d", i+1))
	}
	if snap := pass(false); len(snap.Entries) != 10 || snap.Alarm != nil {
		t.Errorf("back: %d entries, alarm %+v", len(snap.Entries), snap.Alarm)
	}
}

// TestDeletionsFarApart are not one accident.
func TestDeletionsFarApart(t *testing.T) {
	s := eleven(t)
	ctx := context.Background()
	k := s.opened()
	for i := range 4 {
		s.pass(accidentSpan + time.Second)
		s.remove(fmt.Sprintf("%02d.md", i))
		change, err := k.pass(ctx, nil, true)
		must(t, err)
		if n := len(change.Snapshot.Entries); n != 10-i || change.Snapshot.Alarm != nil {
			t.Errorf("after %d deletions: %d entries, alarm %+v", i+1, n, change.Snapshot.Alarm)
		}
	}
}

// TestDraftsCount: drafts are posts, so losing a published one among many
// drafts is no accident; losing drafts alone never is.
func TestDraftsCount(t *testing.T) {
	s := newSite(t)
	s.post("a.md", "A", "2026-01-01")
	for i := range 9 {
		s.post(fmt.Sprintf("draft%d.md", i), fmt.Sprintf("Draft %d", i), "2026-01-01", "draft: true")
	}
	ctx := context.Background()
	k, err := open(ctx, s.cfg)
	must(t, err)
	_, err = k.pass(ctx, nil, true)
	must(t, err)
	for i := range 4 {
		s.remove(fmt.Sprintf("draft%d.md", i))
	}
	change, err := k.pass(ctx, nil, true)
	must(t, err)
	if change.Snapshot.Alarm != nil || change.Snapshot.Posts != 6 {
		t.Errorf("drafts alone: %+v, %d posts", change.Snapshot.Alarm, change.Snapshot.Posts)
	}
	s.pass(time.Hour)
	s.remove("a.md")
	change, err = k.pass(ctx, nil, true)
	must(t, err)
	if change.Snapshot.Alarm != nil || len(change.Snapshot.Entries) != 0 {
		t.Errorf("one of six: %+v", change.Snapshot.Alarm)
	}
}

// TestUnlistedDirectory: what cannot be looked at has not vanished.
func TestUnlistedDirectory(t *testing.T) {
	s := eleven(t)
	for i := range 3 {
		s.rename(fmt.Sprintf("%02d.md", i), fmt.Sprintf("closed/%02d.md", i))
	}
	s.load()
	k, err := open(context.Background(), s.cfg)
	must(t, err)
	w := newWalker(s.dir, k.folder.enter)
	w.all()
	for name := range w.files {
		if below(name, "closed") {
			delete(w.files, name)
		}
	}
	w.closed["closed"] = os.ErrPermission
	found, err := k.folder.compare(t.Context(), w, nil)
	must(t, err)
	for _, f := range found {
		if f.kind == vanished {
			t.Errorf("%s has vanished", f.file)
		}
	}
	if p := k.folder.problems["closed"]; len(p) != 1 || !strings.Contains(p[0].Message, "permission denied") {
		t.Errorf("problems %v", k.folder.problems)
	}
}
