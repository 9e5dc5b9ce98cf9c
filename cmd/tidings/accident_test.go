package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A mishap is what happens to a folder of posts, and what a send mails after it.
type mishap struct {
	what  string
	does  func(f folder)
	mails string // the subject; "": nothing
}

// A folder is that of the posts.
type folder struct {
	*blog
	now time.Time
}

// put writes a post.
func (f folder) put(name, title string, at time.Time, more string) {
	f.write("posts/"+name, "---\ntitle: "+title+"\ndate: "+at.UTC().Format(time.RFC3339)+"\n"+more+"---\nWords of "+title+".\n")
}

// move renames or, with "", removes.
func (f folder) move(from, to string) {
	f.t.Helper()
	target := filepath.Join(f.dir, to)
	if to == "" {
		target = filepath.Join(f.t.TempDir(), "gone")
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(f.dir, from), target); err != nil {
		f.t.Fatal(err)
	}
}

// mishaps befall a newsletter whose reader has got "Base".
func mishaps() []mishap {
	const day = 24 * time.Hour
	now := time.Now // after the newsletter was first seen, whatever the day
	ago := func(f folder, days int) time.Time { return f.now.Add(-time.Duration(days) * day) }
	return []mishap{
		{"nothing", func(folder) {}, ""},
		{"a file is touched", func(f folder) { f.put("base.md", "Base", ago(f, 1), "") }, ""},
		{"its text is edited", func(f folder) { f.put("base.md", "Base, edited", ago(f, 1), "") }, ""},
		{"its date is moved on", func(f folder) { f.put("base.md", "Base, edited", f.now.Add(-time.Minute), "") }, ""},
		{"it is renamed", func(f folder) { f.move("posts/base.md", "posts/2025/renamed.md") }, ""},
		{"it is renamed and edited in one", func(f folder) {
			f.move("posts/2025/renamed.md", "")
			f.put("again.md", "Base, edited", f.now.Add(-time.Minute), "summary: Another\n")
		}, ""},
		{"it is removed", func(f folder) { f.move("posts/again.md", "kept.md") }, ""},
		{"it is restored", func(f folder) { f.move("kept.md", "posts/again.md") }, ""},
		{"the whole folder is away", func(f folder) { f.move("posts", "away"); f.write("posts/readme.txt", "") }, ""},
		{"the folder is back", func(f folder) { f.move("posts", ""); f.move("away", "posts") }, ""},
		{"an old post comes to light", func(f folder) { f.put("old.md", "Old", ago(f, 400), "") }, ""},
		{"a post of tomorrow", func(f folder) { f.put("tomorrow.md", "Tomorrow", f.now.Add(day), "") }, ""},
		{"a post without a date", func(f folder) { f.write("posts/undated.md", "---\ntitle: Undated\n---\nText.\n") }, ""},
		{"a draft", func(f folder) { f.put("draft.md", "Draft", now(), "draft: true\n") }, ""},
		{"one to be announced again that nobody knew", func(f folder) { f.put("new-again.md", "New again", ago(f, 400), "announce: again\n") }, ""},
		{"a held post", func(f folder) { f.put("held.md", "Held", now(), "hold: true\n") }, ""},
		{"a post held by a typing error", func(f folder) { f.put("typo.md", "Typo", ago(f, 1), "hold: perhaps\n") }, ""},
		{"it is released", func(f folder) { f.put("held.md", "Held", now(), "") }, "Held"},
		{"and held again", func(f folder) { f.put("held.md", "Held", now(), "hold: true\n") }, ""},
		{"and released again", func(f folder) { f.put("held.md", "Held", now(), "") }, ""},
		{"the draft is published", func(f folder) { f.put("draft.md", "Draft", now(), "") }, "Draft"},
		{"it becomes a draft once more", func(f folder) { f.put("draft.md", "Draft", now(), "draft: true\n") }, ""},
		{"and is published once more", func(f folder) { f.put("draft.md", "Draft", now(), "") }, ""},
		{"one that was mailed is announced again", func(f folder) { f.put("draft.md", "Draft", now(), "announce: again\n") }, "Draft"},
		{"the line stays", func(f folder) { f.put("draft.md", "Draft", now(), "announce: again\nsummary: X\n") }, ""},
		{"the line goes", func(f folder) { f.put("draft.md", "Draft", now(), "") }, ""},
		{"an old one is announced again", func(f folder) { f.put("old.md", "Old", ago(f, 400), "announce: again\n") }, "Old"},
		{"announced again, and removed and restored", func(f folder) {
			f.move("posts/old.md", "kept.md")
			f.must("plan", "weekly")
			f.move("kept.md", "posts/old.md")
		}, ""},
		{"a new post, at last", func(f folder) { f.put("new.md", "New", now(), "") }, "New"},
	}
}

// TestNothingIsMailedByAccident lets mishaps befall a folder, one after the
// other, and sends after each: only what a maintainer meant to mail is mailed.
func TestNothingIsMailedByAccident(t *testing.T) {
	t.Parallel()
	config := strings.ReplaceAll(captureConfig, "%[1]d", "8080")
	b := newBlog(t, config, nil)
	f := folder{b, time.Now()}
	f.put("base.md", "Base", f.now.Add(-24*time.Hour), "")
	b.subscribe(1)
	b.must("send", "weekly", "--since", "2025-01-01", "--yes")
	d := &running{blog: b}
	for _, m := range mishaps() {
		before := len(d.mails("r0@example.com"))
		m.does(f)
		out := b.must("send", "weekly", "--yes")
		var got []string
		for _, mail := range d.mails("r0@example.com")[before:] {
			_, subject, _ := strings.Cut(mail, "\nSubject: ")
			subject, _, _ = strings.Cut(subject, "\r\n")
			got = append(got, subject)
		}
		if strings.Join(got, "; ") != m.mails {
			t.Errorf("%s: %q is mailed, want %q\n%s", m.what, got, m.mails, out)
		}
	}
}
