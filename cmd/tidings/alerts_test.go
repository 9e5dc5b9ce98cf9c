package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestAlerts lets an edition wait for approval in a rehearsal: that is mailed
// to the maintainer, listed with what to do, and over once it is done.
func TestAlerts(t *testing.T) {
	config := strings.Replace(captureConfig, "{title: Weekly digest}", `{schedule: "0 20 * * *", approve: true}`, 1) + "alerts: {to: me@example.org}\n"
	posts := map[string]string{"a.md": "---\ntitle: Early\ndate: 2030-01-01T18:00:00Z\n---\nx\n"}
	d := serve(t, config, posts, "--clock", "2030-01-01T00:00:00Z,14400") // 4 h a second
	d.subscribe(2)
	d.eventually("the maintainer is told", func() bool { return len(d.mails("me@example.org")) > 0 })
	m := d.mails("me@example.org")[0]
	for _, want := range []string{"Subject: [Field Notes] Edition 1 of weekly waits for your approval\r\n", "Auto-Submitted: auto-generated\r\n", "tidings editions resume 1"} {
		if !strings.Contains(m, want) {
			t.Errorf("no %q in\n%s", want, m)
		}
	}
	if out := d.must("alerts"); !strings.Contains(out, "Edition 1 of weekly waits for your approval (approval, since 2030-01-01 20:0") {
		t.Errorf("alerts:\n%s", out)
	}
	if m := d.get("/metrics"); !strings.Contains(m, "tidings_alerts{kind=\"approval\"} 1\n") {
		t.Error("the metrics do not tell")
	}
	d.must("editions", "cancel", "1", "--yes")
	d.eventually("it is over", func() bool { return strings.HasPrefix(d.must("alerts"), "nothing is wrong") })
	var all []alertJSON
	if err := json.Unmarshal([]byte(d.must("alerts", "--all", "--json")), &all); err != nil || len(all) != 1 ||
		all[0].Open || all[0].Kind != "approval" || all[0].ToldAt == "" || all[0].ClearedAt == "" {
		t.Errorf("alerts --all: %+v, %v", all, err)
	}
	if err := d.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if n := len(d.mails("me@example.org")); n != 1 {
		t.Errorf("%d mails, want one", n)
	}
}
