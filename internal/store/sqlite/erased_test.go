package sqlite_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"tidings/internal/store"
	"tidings/internal/store/sqlite"
)

// TestTheErasedCannotBeReadFromTheFile looks for what was known of a person in
// the bytes of the database.
func TestTheErasedCannotBeReadFromTheFile(t *testing.T) {
	path, ctx, now := fresh(t), context.Background(), time.Now()
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	row := func(name string) store.ImportRow {
		return store.ImportRow{Line: 1, Subscriber: store.Subscriber{
			Email: name + "@traceable.example", Key: "key " + name, Name: "Name of " + name,
			Subscriptions: []store.Subscription{{Newsletter: "weekly", Status: store.StatusActive}},
		}}
	}
	var rows []store.ImportRow
	for _, name := range []string{"anna", "berta", "clara", "dora"} {
		rows = append(rows, row(name))
	}
	if _, err := s.ImportSubscribers(ctx, now, rows, false); err != nil {
		t.Fatal(err)
	}
	who, err := s.SubscriberByEmail(ctx, "berta@traceable.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AskAddress(ctx, now, who.ID, "bertha@traceable.example", "key bertha", 3, now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := s.MoveAddress(ctx, now, who.ID, "key bertha"); err != nil {
		t.Fatal(err)
	}
	if !readable(t, path, "bertha@traceable") || !readable(t, path, "Name of berta") {
		t.Fatal("the test does not find what is there")
	}
	if readable(t, path, "berta@traceable") {
		t.Error("the former address can be read")
	}
	if err := s.EraseSubscriber(ctx, now, who.ID); err != nil {
		t.Fatal(err)
	}
	for _, trace := range []string{"bertha@traceable", "berta@traceable", "Name of berta"} {
		if readable(t, path, trace) {
			t.Errorf("%q can be read after the erasure", trace)
		}
	}
	if !readable(t, path, "anna@traceable") {
		t.Error("others are gone too")
	}
}

// A sign-up waits with its address; neither that nor one that nobody confirms is
// to be left behind.
func TestWhatWaitedCannotBeReadFromTheFile(t *testing.T) {
	path, ctx, now := fresh(t), context.Background(), time.Now()
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, name := range []string{"erased", "forgotten"} {
		in := store.SignUp{Mailbox: name, Subscriber: store.Subscriber{
			Email: name + "@traceable.example", Key: "key " + name, Subscriptions: []store.Subscription{{Newsletter: "weekly"}}}}
		limits := store.SignUpLimits{PerMailbox: 9, All: 9, MailboxSince: now, AllSince: now}
		if _, err := s.QueueSignUp(ctx, now, in, limits); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.ApplySignUps(ctx, now, 9); err != nil || n != 2 {
		t.Fatal(n, err)
	}
	if !readable(t, path, "erased@traceable") || !readable(t, path, "forgotten@traceable") {
		t.Fatal("the test does not find what is there")
	}
	who, err := s.SubscriberByEmail(ctx, "erased@traceable.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.EraseSubscriber(ctx, now, who.ID); err != nil {
		t.Fatal(err)
	}
	if n, _, err := s.ForgetUnconfirmed(ctx, now, now.Add(time.Minute), 9); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	for _, trace := range []string{"erased@traceable", "forgotten@traceable"} {
		if readable(t, path, trace) {
			t.Errorf("%q can be read", trace)
		}
	}
}

// TestManyErasedCannotBeReadFromTheFile: neither what an import was staged in,
// nor what is left of pages that were split when records grew.
func TestManyErasedCannotBeReadFromTheFile(t *testing.T) {
	path, ctx, now := fresh(t), context.Background(), time.Now()
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const people, every = 3000, 40
	address := func(i int) string { return fmt.Sprintf("reader.number.%d@traceable.example", i) }
	var rows []store.ImportRow
	for i := range people {
		rows = append(rows, store.ImportRow{Line: i + 1, Subscriber: store.Subscriber{
			Email: address(i), Key: fmt.Sprint("key ", i*7919%people),
			Subscriptions: []store.Subscription{{Newsletter: "weekly", Status: store.StatusActive}},
		}})
	}
	importAll(t, s, now, rows)
	for i := range people / every {
		who, err := s.SubscriberByEmail(ctx, address(i*every))
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			grown := store.Preferences{Timezone: "America/Argentina/Buenos_Aires", QuietHours: "22-7", Subscriptions: []store.Subscription{
				{Newsletter: "weekly", Status: store.StatusActive, Tags: []string{strings.Repeat("long", 20)}}}}
			if err := s.SetPreferences(ctx, now, who.ID, grown); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.EraseSubscriber(ctx, now, who.ID); err != nil {
			t.Fatal(err)
		}
	}
	for i := range people / every {
		if readable(t, path, address(i*every)) {
			t.Errorf("%s can be read after the erasure", address(i*every))
		}
	}
	if !readable(t, path, address(1)) {
		t.Error("others are gone too")
	}
}

// importAll imports people as the command does.
func importAll(t *testing.T, s store.Store, now time.Time, rows []store.ImportRow) {
	t.Helper()
	ctx := context.Background()
	id, err := s.BeginImport(ctx, now)
	if err == nil {
		err = s.StageImport(ctx, now, id, rows)
	}
	if err == nil {
		err = s.DecideImport(ctx, now, id)
	}
	for n := 1; err == nil && n > 0; {
		n, err = s.ApplyImport(ctx, now, time.Second, nil)
	}
	if err == nil {
		_, err = s.TakeImport(ctx, id)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// readable reports whether a text is in any file of a database.
func readable(t *testing.T, path, text string) bool {
	t.Helper()
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + suffix)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(text)) {
			return true
		}
	}
	return false
}
