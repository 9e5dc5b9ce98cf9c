package digest_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"tidings/internal/digest"
	"tidings/internal/mail"
	"tidings/templates"
)

// hostile are strings that have broken mails.
var hostile = []string{
	"", "plain", "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "</title></style><script>",
	"a\r\nBcc: all@example.net\r\n\r\n<html>", "\u202Egnp.exe\u2066", "עברית <b>", "👩‍👩‍👧‍👦", "{{.Unsubscribe}}", "a\x00b\xff\x1b[2J",
	"javascript:alert(1)", "https://example.org/\r\nX: y", "data:text/html,<script>", "<!--[if mso]>", "]]>", "=?utf-8?q?x?=",
	"[x](javascript:alert(1)) <img src=x onerror=y> ![](data:x)", "```\n</td></table><script>\n```", strings.Repeat("x", 5000),
}

// Whatever the strings, the message is safe to send and to look at.
func FuzzCompose(f *testing.F) {
	for i, s := range hostile {
		f.Add(s, hostile[(i+3)%len(hostile)], hostile[(i+5)%len(hostile)], s, hostile[(i+7)%len(hostile)], i)
	}
	f.Add("title", "summary", "https://example.org/\"<>", "> a\n* b\n1. c", "zh-Hant", 300)
	c, err := digest.Parse(templates.Builtin())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, title, summary, url, intro, name string, n int) {
		n = min(max(n, 1), 300)
		in := digest.Input{
			Site:       digest.Site{Title: name, URL: url, Language: title},
			Newsletter: digest.Newsletter{Name: name, Title: title, From: name, ReplyTo: title, PostalAddress: summary, WebURL: url},
			Base:       "https://example.org/", Intro: intro, Topics: []string{name, title},
			Date: monday, Location: time.UTC, Preferences: n%2 == 0,
		}
		for range n {
			in.Items = append(in.Items, digest.Item{
				Title: title, URL: url, Summary: summary, Published: monday, Categories: []string{name, summary},
				Tags: []string{name, title}, ReadingTime: n, Image: url, Language: summary,
			})
		}
		m, err := c.Compose(in)
		if err != nil {
			if len(intro) > 5000 {
				return // may be too large
			}
			t.Fatal(err)
		}
		checkMessage(t, m)
	})
}

func checkMessage(t *testing.T, m mail.Message) {
	for _, h := range append(m.Headers, mail.Header{Name: "Subject", Value: m.Subject}, mail.Header{Name: "From", Value: m.From}, mail.Header{Name: "Reply-To", Value: m.ReplyTo}) {
		if strings.ContainsFunc(h.Value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("%s has control characters: %q", h.Name, h.Value)
		}
	}
	if n := utf8.RuneCountInString(m.Subject); n == 0 || n > digest.MaxSubject {
		t.Errorf("subject of %d characters", n)
	}
	if size := digest.Sent(m.HTML, m.Text); size > digest.MaxSent {
		t.Errorf("%d bytes as sent", size)
	}
	slot := "https://example.org/unsubscribe/" + mail.Mark(m.Nonce, digest.SlotUnsubscribe)
	if strings.Count(m.HTML, `href="`+slot+`"`) != 2 || strings.Count(m.Text, "\n"+slot+"\n") != 2 {
		t.Error("the links for leaving are not where they belong")
	}
	if !utf8.ValidString(m.HTML) || !utf8.ValidString(m.Text) {
		t.Error("not UTF-8")
	}
	checkHTML(t, m.HTML)
}

// checkHTML looks for what must not be in a mail's HTML.
func checkHTML(t *testing.T, source string) {
	doc := parse(t, source)
	if len(all(doc, atom.Style)) != 2 || len(all(doc, atom.Title)) != 1 {
		t.Error("elements of the head were broken out of or added")
	}
	if got := len(all(doc, atom.Script, atom.Iframe, atom.Object, atom.Form, atom.Svg, atom.Base, atom.Link)); got != 0 {
		t.Errorf("%d forbidden elements", got)
	}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, a := range n.Attr {
			address := a.Key == "href" || a.Key == "src"
			safe := strings.HasPrefix(a.Val, "https://") || strings.HasPrefix(a.Val, "http://") || strings.HasPrefix(a.Val, "mailto:")
			if strings.HasPrefix(a.Key, "on") || address && !safe {
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
	}
}
