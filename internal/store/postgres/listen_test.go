package postgres_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"tidings/internal/store"
	"tidings/internal/store/postgres"
	"tidings/internal/store/postgres/postgrestest"
)

// TestListen: what one daemon does, another hears, also after the server was
// restarted.
func TestListen(t *testing.T) {
	t.Parallel()
	own := postgrestest.Server{}
	t.Cleanup(func() {
		if err := own.Stop(); err != nil {
			t.Error(err)
		}
	})
	address := own.Database(t)
	db := open(t, address)
	heard := make(chan string, 100)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- postgres.Listen(ctx, address, func(topic string) { heard <- topic }, slog.New(slog.DiscardHandler))
	}()
	hear := func(want string) {
		t.Helper()
		select {
		case got := <-heard:
			if got != want {
				t.Fatalf("heard %q, want %q", got, want)
			}
		case <-time.After(time.Minute):
			t.Fatalf("did not hear %q", want)
		}
	}
	hear(postgres.All)
	posts := func(guid string) {
		t.Helper()
		if err := db.SavePosts(t.Context(), []*store.Post{{GUID: guid, File: guid, Path: "/" + guid + "/"}}); err != nil {
			t.Fatal(err)
		}
	}
	posts("one")
	hear(postgres.Posts)
	e := store.Edition{Newsletter: "weekly", Cadence: store.CadenceSchedule, Slot: "2026-01-05T08:00", Status: store.EditionSkipped, Reason: "nothing"}
	if _, err := db.RecordEditions(t.Context(), time.Now(), []store.Edition{e}); err != nil {
		t.Fatal(err)
	}
	hear(postgres.Mails)
	if err := own.Restart(); err != nil {
		t.Fatal(err)
	}
	hear(postgres.All)
	for db.CheckWritable(t.Context()) != nil { // its connections were cut, too
	}
	posts("two")
	hear(postgres.Posts)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
