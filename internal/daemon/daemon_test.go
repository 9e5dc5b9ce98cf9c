package daemon_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tidings/internal/daemon"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

// recorder is a part that notes when it ends.
type recorder struct {
	mu    sync.Mutex
	ended []string
}

func (r *recorder) part(name string, err error) daemon.Part {
	return daemon.Part{Name: name, Run: func(ctx context.Context) error {
		<-ctx.Done()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ended = append(r.ended, name)
		return err
	}}
}

func TestStopsInReverse(t *testing.T) {
	var r recorder
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := daemon.Run(ctx, quiet, r.part("a", nil), r.part("b", context.Canceled), r.part("c", nil)); err != nil {
		t.Fatal(err)
	}
	if want := []string{"c", "b", "a"}; !slices.Equal(r.ended, want) {
		t.Errorf("ended %v, want %v", r.ended, want)
	}
}

// TestTogether: none of them waits for another to stop.
func TestTogether(t *testing.T) {
	one, other := make(chan struct{}), make(chan struct{})
	part := func(mine, others chan struct{}) daemon.Part {
		return daemon.Part{Name: "part", Run: func(ctx context.Context) error {
			<-ctx.Done()
			close(mine)
			<-others
			return errors.New("ended")
		}}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	err := daemon.Run(ctx, quiet, daemon.Together("both", part(one, other), part(other, one)))
	if err == nil || strings.Count(err.Error(), "ended") != 2 {
		t.Errorf("error %v, want those of both", err)
	}
}

func TestOneFailureStopsAll(t *testing.T) {
	var r recorder
	broken := errors.New("broken")
	fails := daemon.Part{Name: "fails", Run: func(context.Context) error { return broken }}
	err := daemon.Run(t.Context(), quiet, r.part("a", nil), fails, r.part("b", errors.New("also")))
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "fails: broken") || !strings.Contains(err.Error(), "b: also") {
		t.Errorf("Run = %v", err)
	}
	if want := []string{"b", "a"}; !slices.Equal(r.ended, want) {
		t.Errorf("ended %v, want %v", r.ended, want)
	}
}

func TestHTTPFinishesRequestsUnderWay(t *testing.T) {
	l, err := daemon.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		stop()
		time.Sleep(20 * time.Millisecond)
		io.WriteString(w, "whole")
	})
	done := make(chan error, 1)
	go func() { done <- daemon.Run(ctx, quiet, daemon.HTTP(l, h, quiet)) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err != nil || string(b) != "whole" {
		t.Errorf("answer %q, %v", b, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestListenOnAPortInUse(t *testing.T) {
	l, err := daemon.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := daemon.Listen(l.Addr().String()); err == nil || !strings.Contains(err.Error(), "http.listen") {
		t.Errorf("Listen = %v, want advice", err)
	}
}
