package journal_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"tidings/internal/journal"
)

// TestMain lets the test binary play a sender that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("JOURNAL_VICTIM"); dir != "" {
		victim(dir)
	}
	os.Exit(m.Run())
}

func victim(dir string) {
	j, err := journal.Create(dir)
	if err != nil {
		panic(err)
	}
	j.Dot(journal.Key{Edition: 1, Seq: 1, Attempt: 1})
	j.Answer(journal.Key{Edition: 1, Seq: 1, Attempt: 1}, 250)
	j.Dot(journal.Key{Edition: 1, Seq: 2, Attempt: 1})
	os.Stdout.WriteString(j.Holder() + "\n")
	select {}
}

func TestTakeOverAfterKill(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "JOURNAL_VICTIM="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	holder := line[:len(line)-1]
	if _, err := journal.TakeOver(dir, holder); !errors.Is(err, journal.ErrLive) {
		t.Fatalf("while it lives: %v, want ErrLive", err)
	}
	cmd.Process.Kill()
	cmd.Wait()

	e, err := journal.TakeOver(dir, holder)
	if err != nil {
		t.Fatal(err)
	}
	if got := e.Outcomes[journal.Key{Edition: 1, Seq: 1, Attempt: 1}]; got != (journal.Outcome{Answered: true, Code: 250}) {
		t.Errorf("answered attempt: %+v", got)
	}
	if got, ok := e.Outcomes[journal.Key{Edition: 1, Seq: 2, Attempt: 1}]; !ok || got.Answered {
		t.Errorf("attempt on the wire: %+v, %v", got, ok)
	}
	if len(e.Outcomes) != 2 {
		t.Errorf("%d outcomes, want 2", len(e.Outcomes))
	}
	if _, err := journal.TakeOver(dir, holder); !errors.Is(err, journal.ErrLive) {
		t.Errorf("two took over: %v", err)
	}
	if err := e.Settle(); err != nil {
		t.Fatal(err)
	}
	if e, err = journal.TakeOver(dir, holder); err != nil || !e.Lost {
		t.Errorf("after settling: %+v, %v, want Lost", e, err)
	}
}

// Whatever is written, committed and rewritten, death leaves exactly what is
// open, each with its last outcome.
func TestNothingOpenIsLost(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		dir := filepath.Join(t.TempDir(), "j")
		j, err := journal.Create(dir)
		if err != nil {
			r.Fatal(err)
		}
		open := map[journal.Key]journal.Outcome{}
		seq := int64(0)
		for range rapid.IntRange(1, 30).Draw(r, "batches") {
			n := rapid.IntRange(1, 400).Draw(r, "size")
			var done []journal.Key
			for range n {
				seq++
				k := journal.Key{Edition: 1, Seq: seq, Attempt: seq % 3}
				if err := j.Dot(k); err != nil {
					r.Fatal(err)
				}
				open[k] = journal.Outcome{}
				if seq%5 != 0 {
					j.Answer(k, 250)
					open[k] = journal.Outcome{Answered: true, Code: 250}
				}
				done = append(done, k)
			}
			keep := rapid.IntRange(0, min(n, 30)).Draw(r, "keep")
			j.Forget(done[keep:])
			for _, k := range done[keep:] {
				delete(open, k)
			}
			for k := range open { // older ones get committed in the end
				if k.Seq < seq-2000 {
					j.Forget([]journal.Key{k})
					delete(open, k)
				}
			}
		}
		j.Abandon()
		e, err := journal.TakeOver(dir, j.Holder())
		if err != nil {
			r.Fatal(err)
		}
		defer e.Release()
		for k, want := range open {
			if got, ok := e.Outcomes[k]; !ok || got != want {
				r.Fatalf("%+v: %+v, %v, want %+v", k, got, ok, want)
			}
		}
	})
}

// TestStartOfTheMachine finds a journal of before: what it tells is true, but it
// need not be all.
func TestStartOfTheMachine(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	k := journal.Key{Edition: 1, Seq: 1, Attempt: 1}
	if err := errors.Join(j.Dot(k), j.Answer(k, 250), j.Abandon()); err != nil {
		t.Fatal(err)
	}
	for _, again := range []bool{false, true} {
		if again {
			defer journal.SetBoot([16]byte{1, 2, 3})()
		}
		e, err := journal.TakeOver(dir, j.Holder())
		if err != nil {
			t.Fatal(err)
		}
		if e.Lost != again || e.Outcomes[k] != (journal.Outcome{Answered: true, Code: 250}) {
			t.Errorf("machine started again: %t; got %+v", again, e)
		}
		if err := e.Release(); err != nil {
			t.Error(err)
		}
	}
}

// TestRemovedJournalIsMadeAnew: whoever looks still finds a living holder, and
// after its death what it had written.
func TestRemovedJournalIsMadeAnew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "senders")
	j, err := journal.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	k := journal.Key{Edition: 1, Seq: 7, Attempt: 1}
	for _, remove := range []string{"", dir, filepath.Join(dir, j.Holder()+".journal")} {
		if err := errors.Join(j.Dot(k), os.RemoveAll(remove), j.Keep()); err != nil {
			t.Fatal(err)
		}
		if _, err := journal.TakeOver(dir, j.Holder()); !errors.Is(err, journal.ErrLive) {
			t.Errorf("after %q was removed: %v, want ErrLive", remove, err)
		}
	}
	if err := j.Abandon(); err != nil {
		t.Fatal(err)
	}
	e, err := journal.TakeOver(dir, j.Holder())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Release()
	if o, ok := e.Outcomes[k]; !ok || o.Answered || e.Lost {
		t.Errorf("inherited %+v", e)
	}
}

func TestFullJournalRefuses(t *testing.T) {
	j, err := journal.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for seq := range int64(10_000) {
		if err = j.Dot(journal.Key{Edition: 1, Seq: seq}); err != nil {
			return
		}
	}
	t.Error("ten thousand open attempts were taken")
}

func TestDamagedRecordsAreIgnored(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	j.Dot(journal.Key{Edition: 1, Seq: 1})
	j.Dot(journal.Key{Edition: 1, Seq: 2})
	j.Abandon()
	name := filepath.Join(dir, j.Holder()+".journal")
	b, _ := os.ReadFile(name)
	b[50] ^= 0xff // in the first of them, after the one about the machine
	os.WriteFile(name, b[:140], 0o600)
	e, err := journal.TakeOver(dir, j.Holder())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Settle()
	if _, ok := e.Outcomes[journal.Key{Edition: 1, Seq: 2}]; !ok || len(e.Outcomes) != 1 {
		t.Errorf("outcomes %v, want only the second", e.Outcomes)
	}
}
