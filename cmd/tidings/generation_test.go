package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tidings/internal/relay/relaytest"
	"tidings/internal/store"
)

// TestReloadAmidMails reloads while the relay takes its time over a mail: the
// new configuration is in force before the answer, and the answer counts.
func TestReloadAmidMails(t *testing.T) {
	t.Parallel()
	server := relaytest.Start(t, relaytest.Options{Rules: []relaytest.Rule{{At: relaytest.Dot, Recipient: "r0@example.com", Delay: 5 * time.Second}}})
	port := freePort(t)
	config := smtpConfig(server.Port()) + fmt.Sprintf("http: {listen: \"127.0.0.1:%d\"}\nsite: {title: Former}\n", port)
	d := &running{blog: newBlog(t, config, onePost), base: fmt.Sprintf("http://127.0.0.1:%d", port), logs: &syncBuffer{}}
	d.subscribe(3)
	d.must("send", "weekly", "--since", "2025-01-01", "--detach", "--yes")
	d.start()
	d.eventually("all but one are sent", func() bool { return d.edition(1).Sent == 2 })
	if err := os.WriteFile(filepath.Join(d.dir, "config.yaml"), []byte(strings.Replace(config, "Former", "Present", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	d.hangup()
	d.eventually("the new title is served", func() bool {
		res, err := http.Get(d.base + "/feed.xml")
		if err != nil {
			return false // between the two
		}
		defer res.Body.Close()
		feed, err := io.ReadAll(res.Body)
		return err == nil && strings.Contains(string(feed), "Present")
	})
	if e := d.edition(1); e.Pending != 1 || e.InDoubt+e.ResentInDoubt != 0 {
		t.Errorf("before the answer: %+v", e)
	}
	d.eventually("the answer counts", func() bool { return d.edition(1).Status == store.EditionFinished })
	if e := d.edition(1); e.Sent != 3 || e.ResentInDoubt != 0 || server.Count() != 3 {
		t.Errorf("%d mails, edition %+v", server.Count(), e)
	}
	if err := d.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(d.dir, "data", "*-senders", "*")); err != nil || len(left) > 0 {
		t.Errorf("journals left: %q, %v", left, err)
	}
}
