package catalog

import (
	"context"
	"strings"
	"testing"
	"time"
)

// recorded writes a recording of so many bytes.
func (s *site) recorded(name string, size int) {
	s.t.Helper()
	s.write(name, strings.Repeat("~", size))
}

func lengths(snap *Snapshot) map[string]int64 {
	all := map[string]int64{}
	for _, e := range snap.Entries {
		all[e.Title] = e.Enclosure.Length
	}
	return all
}

func TestRecordingsHaveTheirTrueLength(t *testing.T) {
	s := newSite(t)
	s.recorded("ep/one.mp3", 5000)
	s.recorded("audio/two 2.mp3", 6000)
	s.recorded("pointer.mp3", 130)
	s.recorded("four.mp3/x.mp3", 9000)
	s.post("ep/one.md", "Beside", "2026-01-01", "enclosure: {url: one.mp3, length: 1}")
	s.post("ep/two.md", "Root", "2026-01-02", "audio: /audio/two%202.mp3")
	s.post("three.md", "Pointer", "2026-01-03", "enclosure: {url: pointer.mp3, length: 777}")
	s.post("four.md", "Folder", "2026-01-04", "enclosure: {url: four.mp3, length: 778}")
	s.post("five.md", "Elsewhere", "2026-01-05", "enclosure: {url: https://cdn.example/ep/one.mp3, length: 779}")
	s.post("six.md", "Outside", "2026-01-06", "enclosure: {url: ../../ep/one.mp3}")
	s.post("seven.md", "Unknown", "2026-01-07", "audio: none.mp3")
	want := map[string]int64{"Beside": 5000, "Root": 6000, "Pointer": 777, "Folder": 778, "Elsewhere": 779, "Outside": 5000, "Unknown": 0}
	for title, got := range lengths(s.load()) {
		if got != want[title] {
			t.Errorf("%s: %d bytes, want %d", title, got, want[title])
		}
	}
}

func TestARecordingThatChangesIsNoticed(t *testing.T) {
	s := newSite(t)
	s.post("a.md", "Ants", "2026-01-01", "enclosure: {url: media/1.mp3, length: 4}")
	s.post("b.md", "Bees", "2026-01-02", "audio: media/1.mp3")
	s.post("c.md", "Cats", "2026-01-03")
	s.write("media/note.txt", "so that the folder is watched")
	r := s.watch()
	is := func(ants, bees int64) func(*Snapshot) bool {
		return func(snap *Snapshot) bool { l := lengths(snap); return l["Ants"] == ants && l["Bees"] == bees }
	}
	before := r.await("the start", is(4, 0))
	s.recorded("media/1.mp3", 2000)
	now := r.await("the recording", is(2000, 2000))
	if now.Entries[0] != before.Entries[0] || now.Entries[0].Title != "Cats" || !now.Entries[1].Changed.Equal(before.Entries[1].Changed) {
		t.Error("more changed than the length")
	}
	s.recorded("media/1.mp3", 3000)
	r.await("another one", is(3000, 3000))
	s.remove("media/1.mp3")
	r.await("its end", is(4, 0))
	s.post("b.md", "Bees", "2026-01-02")
	r.await("a post without it", func(snap *Snapshot) bool { return snap.Entries[1].Enclosure.URL == "" })
	if n := len(r.w.k.folder.media["media/1.mp3"]); n != 1 {
		t.Errorf("%d posts have the recording", n)
	}
}

// TestAWalkNoticesRecordings: where no event tells of them, as below a link.
func TestAWalkNoticesRecordings(t *testing.T) {
	s := newSite(t)
	s.post("a.md", "Ants", "2026-01-01", "audio: 1.mp3")
	k, err := open(context.Background(), s.cfg)
	must(t, err)
	for _, size := range []int{0, 2000, 2000, 4000, 0} {
		if s.remove("1.mp3"); size > 0 {
			s.recorded("1.mp3", size)
		}
		change, err := k.pass(context.Background(), nil, false)
		must(t, err)
		if got := change.Snapshot.Entries[0].Enclosure.Length; got != int64(size) {
			t.Errorf("%d bytes, want %d", got, size)
		}
	}
}

func TestAStartKnowsRecordings(t *testing.T) {
	s := newSite(t)
	start := indexed(t, s)
	s.post("a.md", "Ants", "2026-01-01", "audio: 1.mp3")
	s.post("b.md", "Bees", "2026-01-02")
	s.recorded("1.mp3", 2000)
	start()
	s.pass(time.Hour)
	if snap, read := start(); len(read) != 0 || lengths(snap)["Ants"] != 2000 {
		t.Errorf("read %q, lengths %v", read, lengths(snap))
	}
	s.recorded("1.mp3", 3000)
	if snap, read := start(); len(read) != 1 || lengths(snap)["Ants"] != 3000 {
		t.Errorf("read %q, lengths %v", read, lengths(snap))
	}
}
