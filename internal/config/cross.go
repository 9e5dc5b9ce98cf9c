package config

import (
	"net"
	"net/mail"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// contradictions finds what is wrong between keys that are each right.
func (c *Config) contradictions() Faults {
	var faults Faults
	fail := func(key, format string, args ...any) {
		faults = append(faults, c.origin.fault(key, format, args...))
	}
	smtp, dkim := c.Mail.SMTP, c.Mail.DKIM
	for _, combined := range c.Feeds.Combined {
		if n := len(combined.Any.Authors) + len(combined.All.Authors) + len(combined.Not.Authors); n > 0 && !c.Feeds.hasAuthors() {
			fail(KeyPath("feeds", "combined", combined.Name), "names authors, which have no feeds: set feeds.authors: true")
		}
	}
	if format := c.Feeds.needs(); !slices.Contains(c.Feeds.Formats, format) && format != "" {
		fail("feeds.formats", "must have %s: the addresses of feeds.preset: %s are of that format", format, c.Feeds.Preset)
	}
	if c.Mail.Transport == ViaSMTP && smtp.Host == "" {
		fail("mail.smtp.host", "must be set for transport: smtp")
	}
	if smtp.Username != "" && smtp.Password == "" && smtp.PasswordFile == "" {
		fail("mail.smtp.username", "needs mail.smtp.password or mail.smtp.password_file")
	}
	if smtp.Username == "" && smtp.Password != "" {
		fail("mail.smtp.password", "needs mail.smtp.username")
	}
	for again, first := range c.Mail.Rate.twice() {
		fail(KeyPath("mail", "rate", "domains", again), "is the same domain as %s", first)
	}
	if c.Bounces.Listen != "" && c.Bounces.Address == "" {
		fail("bounces.listen", "needs bounces.address, to know which mail to take")
	}
	if dkim.Domain+dkim.Selector+dkim.KeyFile != "" || len(dkim.Also) > 0 {
		dkim.contradictions(fail)
	}
	return faults
}

func (d DKIM) contradictions(fail func(key, format string, args ...any)) {
	for _, part := range []struct{ key, value string }{
		{"mail.dkim.domain", d.Domain}, {"mail.dkim.selector", d.Selector}, {"mail.dkim.key_file", d.KeyFile},
	} {
		if part.value == "" {
			fail(part.key, "must be set: a signature needs domain, selector and key_file")
		}
	}
	for _, k := range d.Also {
		key := KeyPath("mail", "dkim", "also", k.Name)
		if k.KeyFile == "" {
			fail(key, "needs a key_file")
		}
		if strings.EqualFold(k.Name, d.Selector) {
			fail(key, "is mail.dkim.selector already: each key has a selector of its own")
		}
	}
}

// twice gives the domains that are named again in another form, with the
// first.
func (r Rate) twice() map[string]string {
	first, again := map[string]string{}, map[string]string{}
	for _, d := range r.Domains {
		if name, known := first[d.ASCII()]; known {
			again[d.Name] = name
		} else {
			first[d.ASCII()] = d.Name
		}
	}
	return again
}

// hasAuthors reports whether authors have feeds.
func (f Feeds) hasAuthors() bool {
	return f.Authors || f.Preset == "wordpress" || f.Preset == "ghost"
}

// needs is the format of the addresses of the preset; "" without one.
func (f Feeds) needs() string {
	switch f.Preset {
	case "":
		return ""
	case "jekyll":
		return "atom"
	}
	return "rss"
}

// Warnings gives what is allowed but hardly meant, in the order of the file.
// It is for a Config made by Load or Parse.
func (c *Config) Warnings() Faults {
	var all Faults
	warn := func(key, format string, args ...any) {
		f := c.origin.fault(key, format, args...)
		f.Warning = true
		all = append(all, f)
	}
	if u, err := url.Parse(c.Feeds.URL); err == nil && len(c.Feeds.Hubs) > 0 && isLocal(u.Hostname()) {
		warn("feeds.hubs", "hubs cannot fetch feeds from %s; set feeds.url, or http.url, to their public address", c.Feeds.URL)
	}
	if len(c.Newsletters) > 0 {
		c.warnOfLinks(warn)
	}
	if c.Mail.Transport == ViaSMTP {
		c.warnOfSenders(warn)
		c.warnOfSignature(warn)
		c.warnOfServer(warn)
		c.warnOfBounces(warn)
	}
	return all.sorted()
}

// isLocal reports whether a host is this machine to everybody.
func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

type warner func(key, format string, args ...any)

func (c *Config) warnOfLinks(warn warner) {
	if c.mailingOff != "" {
		warn("http.url", "%s", c.mailingOff)
		return
	}
	if !strings.HasPrefix(strings.ToLower(c.HTTP.URL), "https://") {
		warn("http.url", "%s is not https: mails go without the header for unsubscribing with one click (RFC 8058), which large mail hosts ask for", c.HTTP.URL)
	}
	if c.Mail.Transport == ViaSMTP && isLoopback(hostOf(c.HTTP.URL)) {
		warn("http.url", "%s leads readers to their own machine: links in mails would be dead", c.HTTP.URL)
	}
}

func (c *Config) warnOfSenders(warn warner) {
	if isLoopback(domainOf(c.Mail.From)) {
		warn("mail.from", "%s cannot be answered and will be taken for spam: use an address of your own domain", c.Mail.From)
	}
	for _, n := range c.Newsletters {
		key := "newsletters." + n.Name
		if n.From != c.Mail.From && isLoopback(domainOf(n.From)) {
			warn(key+".from", "%s cannot be answered and will be taken for spam: use an address of your own domain", n.From)
		}
		if n.PostalAddress == "" {
			warn(key+".postal_address", "is missing: many countries require a postal address in newsletters")
		}
	}
}

// warnOfSignature looks for senders that the signature does not speak for.
func (c *Config) warnOfSignature(warn warner) {
	domain := c.Mail.DKIM.Domain
	if domain == "" {
		return
	}
	check := func(key, from string) {
		if organisation(domainOf(from)) != organisation(domain) {
			warn(key, "%s is not of mail.dkim.domain %s: a signature counts for senders of its own domain alone (DMARC)", from, domain)
		}
	}
	check("mail.from", c.Mail.From)
	for _, n := range c.Newsletters {
		if n.From != c.Mail.From {
			check("newsletters."+n.Name+".from", n.From)
		}
	}
}

func (c *Config) warnOfServer(warn warner) {
	smtp := c.Mail.SMTP
	switch {
	case smtp.Port == 465 && smtp.TLS != "tls":
		warn("mail.smtp.tls", "port 465 is encrypted from the first byte: tls: tls")
	case smtp.Port == 587 && smtp.TLS == "tls":
		warn("mail.smtp.tls", "port 587 is encrypted after connecting: tls: starttls")
	}
	if smtp.TLS == "none" && smtp.Password != "" && !isLoopback(smtp.Host) {
		warn("mail.smtp.tls", "none sends the password readable for everybody on the way")
	}
}

// warnOfBounces compares the domain of the envelope sender with those of From:
// they are aligned if they belong together (RFC 9989).
func (c *Config) warnOfBounces(warn warner) {
	if c.Bounces.Address == "" {
		return
	}
	back := domainOf(c.Bounces.Address)
	if isLoopback(back) {
		warn("bounces.address", "%s cannot be reached from other machines: nothing would come back", c.Bounces.Address)
		return
	}
	for _, n := range c.Newsletters {
		if from := domainOf(n.From); organisation(from) != organisation(back) {
			warn("bounces.address", "its domain and that of %s (newsletter %s) do not belong together: only a DKIM signature would tell receivers that the mail is yours", n.From, n.Name)
		}
	}
}

// organisation gives the part of a domain that somebody registered, as DNS
// has it.
func organisation(domain string) string {
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = ascii
	}
	o, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return domain // it is a public suffix itself, or none at all
	}
	return o
}

// domainOf takes an address that Parse has checked.
func domainOf(address string) string {
	a, err := mail.ParseAddress(address)
	if err != nil {
		return ""
	}
	return a.Address[strings.LastIndexByte(a.Address, '@')+1:]
}
