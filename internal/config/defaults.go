package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// defaults is what an empty file means, before derived defaults are filled in
// and paths resolved.
func defaults() *Config {
	return &Config{
		Site: Site{
			Title:    "Field Notes",
			URL:      "http://localhost:8080",
			Language: "en",
			Timezone: "UTC",
		},
		Posts: Posts{
			Dir:       "examples/posts",
			Permalink: "/posts/:slug/",
			Debounce:  100 * time.Millisecond,
			Settle:    30 * time.Second,
		},
		Feeds: Feeds{
			Formats: []string{"rss", "atom", "json"},
			Items:   20,
			Days:    30,
			Content: "full",
		},
		Mail: Mail{
			Transport:  Capture,
			CaptureDir: "data/mailbox",
			Images:     true,
			From:       "Field Notes <news@localhost>",
			SMTP:       SMTP{Port: 587, TLS: "starttls", Connections: 4, MaxMessages: 100, Pipelining: "auto"},
		},
		Bounces: Bounces{Protocol: "smtp"},
		SignUp:  SignUp{MinSeconds: 2, PerAddress: 3, PerNetwork: 30, PerHour: 500, Unconfirmed: 30 * 24 * time.Hour},
		Delivery: Delivery{
			RetryBase: time.Minute,
			Expires:   72 * time.Hour,
			InDoubt:   "resend",
		},
		Database:   Database{URL: "sqlite:data/tidings.db"},
		HTTP:       HTTP{Listen: "127.0.0.1:8080"},
		SecretFile: "data/secret.key",
	}
}

func newsletterDefaults(name string) Newsletter {
	return Newsletter{
		Name:        name,
		Schedule:    "0 8 * * MON",
		Frequencies: []string{"schedule", "each", "daily", "weekly", "monthly"},
		Hour:        8,
		Weekday:     "MON",
		MonthDay:    1,
		Archive:     "public",
		MaxPostAge:  30 * day,
		MinPosts:    1,
		CatchUp:     "once",
		MaxLateness: 24 * time.Hour,
	}
}

// derive fills in the defaults that depend on other keys.
func (c *Config) derive() {
	c.mailingOff = mailingOff(c.Site.URL, c.HTTP.URL)
	c.HTTP.URL = either(c.HTTP.URL, c.Site.URL)
	c.Feeds.URL = either(c.Feeds.URL, c.HTTP.URL)
	for i := range c.Newsletters {
		n := &c.Newsletters[i]
		n.Title = either(n.Title, titleOf(n.Name))
		n.Timezone = either(n.Timezone, c.Site.Timezone)
		n.From = either(n.From, c.Mail.From)
		n.ReplyTo = either(n.ReplyTo, c.Mail.ReplyTo)
		n.InDoubt = either(n.InDoubt, c.Delivery.InDoubt)
	}
}

// mailingOff takes the addresses as written: that of the daemon is "" unless
// the maintainer has set it.
func mailingOff(site, daemon string) string {
	if daemon != "" || isLoopback(hostOf(site)) {
		return ""
	}
	return fmt.Sprintf("sign-up and mailing are off, their links would be dead: site.url (%s) may be another host, and http.url is not set; "+
		"set http.url to the public address of this daemon, even if it is the same", site)
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// isLoopback knows localhost, the names below it (RFC 6761 §6.3) and the
// loopback addresses.
func isLoopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// titleOf makes "Tech news" of "tech-news".
func titleOf(name string) string {
	r, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(r)) + strings.ReplaceAll(name[size:], "-", " ")
}

func either(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}

// location falls back on UTC only for a Config that was not made by Parse.
func location(zone string) *time.Location {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return time.UTC
	}
	return loc
}
