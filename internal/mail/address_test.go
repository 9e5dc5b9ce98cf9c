package mail_test

import (
	netmail "net/mail"
	"strings"
	"testing"

	"tidings/internal/mail"
)

func TestParseAddress(t *testing.T) {
	local64, label63 := strings.Repeat("a", 64), strings.Repeat("b", 63)
	for _, c := range []struct{ in, address, normal string }{
		{"ann@example.com", "ann@example.com", "ann@example.com"},
		{"  Ann.Lee@Example.COM\r\n", "Ann.Lee@example.com", "ann.lee@example.com"},
		{"ann+news@example.com", "ann+news@example.com", "ann+news@example.com"},
		{"o'brien_{x}@example.com", "o'brien_{x}@example.com", "o'brien_{x}@example.com"},
		{"a@bücher.example", "a@xn--bcher-kva.example", "a@xn--bcher-kva.example"},
		{"a@BÜCHER.example", "a@xn--bcher-kva.example", "a@xn--bcher-kva.example"},
		{"a@xn--bcher-kva.example", "a@xn--bcher-kva.example", "a@xn--bcher-kva.example"},
		{"Jörg@example.com", "Jörg@example.com", "jörg@example.com"},
		{"Jo\u0308rg@example.com", "Jörg@example.com", "jörg@example.com"},
		{"用户@例え.jp", "用户@xn--r8jz45g.jp", "用户@xn--r8jz45g.jp"},
		{"ann@localhost", "ann@localhost", "ann@localhost"},
		{"ann@1and1.com", "ann@1and1.com", "ann@1and1.com"},
		{local64 + "@example.com", local64 + "@example.com", local64 + "@example.com"},
		{"a@" + label63 + ".com", "a@" + label63 + ".com", "a@" + label63 + ".com"},
	} {
		a, err := mail.ParseAddress(c.in)
		if err != nil || a.String() != c.address || a.Normal() != c.normal {
			t.Errorf("ParseAddress(%q) = %q, %q, %v, want %q, %q", c.in, a, a.Normal(), err, c.address, c.normal)
		}
		if want := strings.ContainsFunc(c.address, func(r rune) bool { return r > 127 }); a.SMTPUTF8() != want {
			t.Errorf("%q: SMTPUTF8 %t, want %t", c.in, a.SMTPUTF8(), want)
		}
	}
}

func TestParseAddressRefuses(t *testing.T) {
	for _, in := range []string{
		"", " ", "@", "ann", "ann@", "@example.com", "a@b@example.com", "ann@example", "ann@@example.com",
		".ann@example.com", "ann.@example.com", "a..b@example.com", "a b@example.com", "ann@exam ple.com",
		"ann@example.com,bob@example.com", "Ann <ann@example.com>", "<ann@example.com>", `"ann"@example.com`, `"a b"@example.com`,
		"ann@[127.0.0.1]", "ann@127.0.0.1", "ann@example.123", "ann@-example.com", "ann@example-.com", "ann@exam_ple.com",
		"ann@example.com.", "ann@.example.com", "ann@example..com", "ann(x)@example.com", "ann\x00@example.com",
		"ann\r\nBcc: x@example.com", "ann@example.com\nx", "a\u202eb@example.com", "a\u00a0b@example.com", "ann\xff@example.com",
		strings.Repeat("a", 65) + "@example.com", strings.Repeat("ä", 33) + "@example.com",
		"a@" + strings.Repeat("b", 64) + ".com", strings.Repeat("a", 64) + "@" + strings.Repeat("bbbbbbbbb.", 25) + "com",
		strings.Repeat("x", 1<<20),
	} {
		a, err := mail.ParseAddress(in)
		if err == nil {
			t.Errorf("ParseAddress(%q) = %q, want an error", in, a)
		} else if len(err.Error()) > 600 {
			t.Errorf("error of %d bytes", len(err.Error()))
		}
	}
}

func TestParseMailbox(t *testing.T) {
	for _, c := range []struct{ in, name, address string }{
		{"news@localhost", "", "news@localhost"},
		{"Field Notes <news@localhost>", "Field Notes", "news@localhost"},
		{`"Notes, Field" <news@intranet>`, "Notes, Field", "news@intranet"},
		{"Jörg Müller <j@Bücher.example>", "Jörg Müller", "j@xn--bcher-kva.example"},
	} {
		name, a, err := mail.ParseMailbox(c.in)
		if err != nil || name != c.name || a.String() != c.address {
			t.Errorf("ParseMailbox(%q) = %q, %q, %v", c.in, name, a, err)
		}
	}
	for _, in := range []string{"", "Field Notes", "A <a@b.org>, B <b@b.org>", "A <a@b.org>\r\nBcc: c@b.org", "A <>", "A <a b@c.org>", "=?utf-8?q?a=0D=0Ab?= <a@b.org>"} {
		if name, a, err := mail.ParseMailbox(in); err == nil {
			t.Errorf("ParseMailbox(%q) = %q, %q, want an error", in, name, a)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"ann@example.com", " Ann@EXAMPLE.com", "a@bücher.example", "Jörg@x.org", "a..b@x.org", "a@b@c.org", "ß@ß.example", "a@xn--ls8h.la", "K@\u212a.org"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := mail.ParseAddress(s)
		if err != nil {
			return
		}
		for form, again := range map[string]string{"address": a.String(), "normal": a.Normal()} {
			b, err := mail.ParseAddress(again)
			if err != nil || b.String() != again || b.Normal() != a.Normal() {
				t.Errorf("%q: its %s form %q is read as %q, %q (%v)", s, form, again, b, b.Normal(), err)
			}
		}
		if strings.Count(a.String(), "@") != 1 || strings.ContainsAny(a.String(), " \r\n\t<>\"\x00") || len(a.String()) > 254 {
			t.Errorf("%q gives %q", s, a)
		}
		if parsed, err := netmail.ParseAddress(a.String()); err != nil || parsed.Address != a.String() {
			t.Errorf("%q: net/mail reads %v (%v)", a, parsed, err)
		}
	})
}

func TestMailbox(t *testing.T) {
	for in, want := range map[string]string{
		"Ann@Example.org":           "ann@example.org",
		"ann+news@example.org":      "ann@example.org",
		"ann+a+b@example.org":       "ann@example.org",
		"+ann@example.org":          "+ann@example.org",
		"a.n.n@example.org":         "a.n.n@example.org",
		"A.n.n+x@gmail.com":         "ann@gmail.com",
		"a.nn@GoogleMail.com":       "ann@gmail.com",
		"jörg+x@müller.example":     "jörg@xn--mller-kva.example",
		"ann@xn--mller-kva.example": "ann@xn--mller-kva.example",
	} {
		a, err := mail.ParseAddress(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Mailbox(); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
