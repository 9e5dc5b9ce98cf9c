package main

import (
	"fmt"
	"net/smtp"
	"regexp"
	"strings"
	"testing"
)

var returnPath = regexp.MustCompile(`(?m)^Return-Path: <(bounce\+[a-z2-7]+@news\.example\.org)>`)

// TestDaemonTakesBounces has a mail come back to the daemon's listener.
func TestDaemonTakesBounces(t *testing.T) {
	port := freePort(t)
	d := serve(t, captureConfig+fmt.Sprintf("bounces: {address: bounce@news.example.org, listen: \"127.0.0.1:%d\"}\n", port), onePost)
	d.subscribe(2)
	d.must("send", "weekly", "--since", "2020-01-01", "--yes")
	const reader = "r1@example.com"
	mails := d.mails(reader)
	if len(mails) != 1 {
		t.Fatalf("%d mails to %s", len(mails), reader)
	}
	from := returnPath.FindStringSubmatch(mails[0])
	if from == nil {
		t.Fatalf("no envelope sender of its own:\n%s", mails[0][:300])
	}
	report := fmt.Sprintf("From: MAILER-DAEMON@relay.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"+
		"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; relay.example\r\n\r\n"+
		"Final-Recipient: rfc822; %s\r\nAction: failed\r\nStatus: 5.1.1\r\n--b--\r\n", reader)
	listener := fmt.Sprintf("127.0.0.1:%d", port)
	for to, refused := range map[string]bool{
		"someone@elsewhere.example":                    true,
		"bounce+aaaaaaaaaaaaaaaaaaaa@news.example.org": true,
		"bounce@news.example.org":                      false, // proves nothing, and changes nothing
	} {
		err := smtp.SendMail(listener, nil, "", []string{to}, []byte(report))
		if (err != nil) != refused || refused && !strings.HasPrefix(err.Error(), "550 ") {
			t.Errorf("mail to %s: %v", to, err)
		}
	}
	if out := d.must("suppressions", "list", "--json"); strings.Contains(out, reader) {
		t.Errorf("suppressed without proof: %s", out)
	}
	if err := smtp.SendMail(listener, nil, "", []string{from[1]}, []byte(report)); err != nil {
		t.Fatal(err)
	}
	if out := d.must("suppressions", "list", "--json"); !strings.Contains(out, reader) || !strings.Contains(out, `"bounce"`) {
		t.Errorf("suppressions: %s", out)
	}
	if metrics := d.get("/metrics"); !strings.Contains(metrics, `tidings_bounces_total{class="hard"} 1`) {
		t.Error("the bounce is not in the metrics")
	}
	if err := d.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}
