package websub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A hub is one of those that are told.
type hub struct {
	address string
	client  *http.Client
	wake    chan struct{}
	told    map[string]string // hash by path; nil until loaded
	last    string            // path of the topic that failed last
	down    bool              // it took nothing at all
}

// errRefused says that a hub wants none of a topic; to ask again would not
// change that.
var errRefused = errors.New("refused")

// A busyError says how long a hub wants to be left alone.
type busyError struct {
	error
	wait time.Duration
}

// ping says that a topic changed. The specification leaves the form to the
// hub; all known ones take that of PubSubHubbub 0.4 §7.1, some by the newer
// name of its field.
func (h *hub) ping(ctx context.Context, topic string) error {
	form := url.Values{"hub.mode": {"publish"}, "hub.url": {topic}, "hub.topic": {topic}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.address, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", "tidings (WebSub publisher)")
	resp, err := h.client.Do(r)
	if err != nil {
		return fmt.Errorf("announce %s: %w", topic, err)
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
	if err := verdict(resp); err != nil {
		return fmt.Errorf("announce %s: %w: %s", topic, err, strings.TrimSpace(string(said)))
	}
	return nil
}

// stay keeps an announcement from being repeated as a GET elsewhere.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// verdict is what an answer means; nil if the hub took the announcement.
func verdict(resp *http.Response) error {
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		return busyError{errors.New(resp.Status), waitFor(resp.Header.Get("Retry-After"))}
	case code >= 400 && code < 500 && code != http.StatusRequestTimeout:
		return fmt.Errorf("%w: %s", errRefused, resp.Status)
	}
	return errors.New(resp.Status)
}

// waitFor reads a Retry-After header (RFC 9110 §10.2.3): seconds or a date.
// Whatever it says, a day is the most.
func waitFor(field string) time.Duration {
	wait := time.Second
	if seconds, err := strconv.Atoi(field); err == nil {
		wait = time.Duration(min(seconds, 86400)) * time.Second
	} else if at, err := http.ParseTime(field); err == nil {
		wait = time.Until(at)
	}
	return min(max(wait, time.Second), 24*time.Hour)
}

// retryAfter is how long a hub that failed in this way is to be left alone; 0
// if it did not say that it is busy.
func retryAfter(err error) time.Duration {
	var busy busyError
	if errors.As(err, &busy) {
		return busy.wait
	}
	return 0
}
