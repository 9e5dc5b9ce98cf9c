package mail

import (
	"errors"
	"fmt"
	netmail "net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Limits in octets (RFC 5321 §4.5.3.1; a path's 256 include its brackets).
const (
	maxLocal  = 64
	maxDomain = 253 // as DNS names are written
	maxPath   = 254
)

// Address is a mail address that passed ParseAddress.
type Address struct {
	Local  string // as it was given; NFC
	Domain string // ASCII, lower case
}

// ParseAddress reads one bare address as people type it, blanks around it
// allowed. It accepts what can be delivered on the Internet: exactly one "@",
// an unquoted local part, and a domain with a dot (or localhost), which may be
// internationalised.
func ParseAddress(s string) (Address, error) {
	a, err := parseAddress(s)
	if err == nil && !strings.Contains(a.Domain, ".") && a.Domain != "localhost" {
		err = fmt.Errorf("%q is not a complete domain", a.Domain)
	}
	if err != nil {
		return Address{}, fmt.Errorf("mail address %q: %w", shorten(s), err)
	}
	return a, nil
}

// ParseMailbox reads "Name <address>" or a bare address, as senders are
// configured. Here the domain may be a single name, as on an intranet.
func ParseMailbox(s string) (name string, a Address, err error) {
	if err := rejectControl("mailbox", s); err != nil {
		return "", Address{}, err
	}
	address := s
	if strings.Contains(s, "<") {
		parsed, err := netmail.ParseAddress(s)
		if err != nil {
			return "", Address{}, fmt.Errorf("mailbox %q: %w; write it as Name <address@example.org>", shorten(s), err)
		}
		name, address = parsed.Name, parsed.Address
	}
	if a, err = parseAddress(address); err == nil {
		err = rejectControl("name", name)
	}
	if err != nil {
		return "", Address{}, fmt.Errorf("mailbox %q: %w", shorten(s), err)
	}
	return name, a, nil
}

func parseAddress(s string) (Address, error) {
	s = strings.TrimSpace(s)
	if !utf8.ValidString(s) {
		return Address{}, errors.New("not valid UTF-8")
	}
	local, domain, found := strings.Cut(norm.NFC.String(s), "@")
	if !found || local == "" || domain == "" {
		return Address{}, errors.New("want NAME@DOMAIN")
	}
	if err := checkLocal(local); err != nil {
		return Address{}, err
	}
	domain, err := asciiDomain(domain)
	if err != nil {
		return Address{}, err
	}
	if len(local)+len("@")+len(domain) > maxPath {
		return Address{}, fmt.Errorf("longer than %d octets", maxPath)
	}
	return Address{Local: local, Domain: domain}, nil
}

// checkLocal accepts a dot-atom (RFC 5321 §4.1.2, RFC 6531 §3.3). Quoted local
// parts are legal, but nobody's: they are typing mistakes or attacks.
func checkLocal(local string) error {
	if len(local) > maxLocal {
		return fmt.Errorf("the part before @ is longer than %d octets", maxLocal)
	}
	for atom := range strings.SplitSeq(local, ".") {
		if atom == "" {
			return errors.New("a dot at the start, at the end, or next to another")
		}
		if i := strings.IndexFunc(atom, isNotAtom); i >= 0 {
			r, _ := utf8.DecodeRuneInString(atom[i:])
			return fmt.Errorf("%q before @ is not allowed", r)
		}
	}
	return nil
}

func isNotAtom(r rune) bool {
	if r < utf8.RuneSelf {
		return !isAlphanumeric(byte(r)) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
	}
	return !unicode.IsGraphic(r) || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r)
}

// asciiDomain gives the domain as DNS has it (RFC 5890).
func asciiDomain(domain string) (string, error) {
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return "", fmt.Errorf("domain %q: %w", domain, err)
	}
	if len(ascii) > maxDomain {
		return "", fmt.Errorf("domain longer than %d octets", maxDomain)
	}
	for label := range strings.SplitSeq(ascii, ".") {
		if !isHostLabel(label) {
			return "", fmt.Errorf("domain %q: %q is not a part of a domain name", domain, label)
		}
	}
	if last := ascii[strings.LastIndexByte(ascii, '.')+1:]; strings.Trim(last, "0123456789") == "" {
		return "", fmt.Errorf("domain %q: numbers are not a domain name", domain)
	}
	return ascii, nil
}

// isHostLabel holds a label to RFC 1123 §2.1.
func isHostLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for i := range len(label) {
		if !isAlphanumeric(label[i]) && label[i] != '-' {
			return false
		}
	}
	return true
}

// String gives the address as it is mailed to.
func (a Address) String() string { return a.Local + "@" + a.Domain }

// Normal gives the form in which two addresses are the same person: ASCII
// letters in lower case. Dots and tags in the local part are kept, because
// only their own domain knows what they mean.
func (a Address) Normal() string {
	lower := func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}
	return strings.Map(lower, a.Local) + "@" + a.Domain
}

// Mailbox gives the form in which spellings that most likely reach one mailbox
// are the same: without a tag (RFC 5233, after "+"), and without the dots that
// Gmail ignores. It is for limits, where a mistake does little harm, and never
// tells two people apart.
func (a Address) Mailbox() string {
	local, domain, _ := strings.Cut(a.Normal(), "@")
	if bare, _, tagged := strings.Cut(local, "+"); tagged && bare != "" {
		local = bare
	}
	if domain == "googlemail.com" {
		domain = "gmail.com"
	}
	if domain == "gmail.com" {
		local = strings.ReplaceAll(local, ".", "")
	}
	return local + "@" + domain
}

// SMTPUTF8 reports whether mailing to the address needs the extension of that
// name (RFC 6531) along the whole way.
func (a Address) SMTPUTF8() bool { return !isASCII(a.Local) }

// isNotAddress finds what may stand in no bare address and no message ID,
// because it would end the path or the header.
func isNotAddress(r rune) bool {
	return isControl(r) || unicode.IsSpace(r) || r == '<' || r == '>' || r == utf8.RuneError
}

// shorten keeps a rejected input fit for an error message.
func shorten(s string) string {
	const limit = 80
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
