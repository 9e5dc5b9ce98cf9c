package config

import (
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"
)

// checkForm says what is wrong with a text of a named form; "" if nothing is.
func checkForm(form, s string) string {
	switch form {
	case "url":
		return checkURL(s)
	case "origin":
		return checkOrigin(s)
	case "hub", "picture":
		return checkResource(s)
	case "language":
		return checkLanguage(s)
	case "zone":
		return checkZone(s)
	case "cron":
		return checkCron(s)
	case "address":
		return checkAddress(s, false)
	case "email":
		return checkAddress(s, true)
	case "returnpath":
		return checkReturnPath(s)
	case "permalink":
		return checkPermalink(s)
	case "listen":
		return checkListen(s)
	case "host":
		return checkHost(s)
	case "domain":
		return checkDomain(s)
	case "database":
		return checkDatabase(s)
	case "hours":
		return checkHours(s)
	case "network":
		return checkNetwork(s)
	}
	return ""
}

// checkURL wants an address below which others lie.
func checkURL(s string) string {
	u, problem := parseWebURL(s)
	switch {
	case problem != "":
		return problem
	case u.RawQuery != "" || u.ForceQuery:
		return fmt.Sprintf("%q must not have a query (?…): other addresses are made by adding a path", s)
	}
	return ""
}

func checkResource(s string) string {
	_, problem := parseWebURL(s)
	return problem
}

func parseWebURL(s string) (*url.URL, string) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, fmt.Sprintf("%q is not an address such as https://example.org", s)
	case u.User != nil:
		return nil, "must not hold a user name or password" // nor is it repeated here
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return nil, fmt.Sprintf("%q is not a full address: it must start with https:// or http:// and a host", s)
	case strings.Contains(s, "#"):
		return nil, fmt.Sprintf("%q must not have a fragment (#…)", s)
	case strings.ContainsAny(s, " \t"):
		return nil, fmt.Sprintf("%q must not hold spaces", s)
	case !isPort(u.Port(), u.Host):
		return nil, fmt.Sprintf("%q has an impossible port", s)
	}
	return u, ""
}

// isPort accepts a missing port, but not an empty one.
func isPort(port, host string) bool {
	if port == "" {
		return !strings.HasSuffix(host, ":")
	}
	n, err := strconv.Atoi(port)
	return err == nil && n >= 1 && n <= 65535
}

var hours = regexp.MustCompile(hoursPattern)

// checkHours wants a span of hours that is neither empty nor the whole day.
func checkHours(s string) string {
	a, b, _ := strings.Cut(s, "-")
	from, _ := strconv.Atoi(a)
	to, _ := strconv.Atoi(b)
	if !hours.MatchString(s) || from == to {
		return fmt.Sprintf("%q is not a span of hours such as 22-7 (from 22:00 until 7:00)", s)
	}
	return ""
}

func checkLanguage(s string) string {
	tag, err := language.Parse(s)
	switch {
	case err != nil:
		return fmt.Sprintf("%q is not a language tag (BCP 47) such as en, de-CH or pt-BR", s)
	case strings.Contains(s, "_"):
		return fmt.Sprintf("%q is not a language tag (BCP 47); did you mean %q?", s, tag)
	}
	return ""
}

func checkZone(s string) string {
	if s == "Local" {
		return `"Local" is another zone on every machine: name one, such as Europe/Berlin`
	}
	if _, err := time.LoadLocation(s); err != nil {
		return fmt.Sprintf("%q is not a time zone: write an IANA name such as Europe/Berlin, America/New_York or UTC", s)
	}
	return ""
}

// checkAddress wants one mail address; bare: without a name beside it.
func checkAddress(s string, bare bool) string {
	a, err := mail.ParseAddress(s)
	switch {
	case bare && (err != nil || a.Address != s):
		return fmt.Sprintf("%q is not a mail address such as ann@example.org", s)
	case err != nil:
		return fmt.Sprintf("%q is not a mail address such as \"Ann Field <ann@example.org>\"", s)
	}
	return ""
}

// returnPathLocal is how long the name of the address for bounces may be: with
// "+" and a code of at most 37 characters it must fit 64 octets (RFC 5321
// §4.5.3.1.1).
const returnPathLocal = 26

var plainLocal = regexp.MustCompile(`^[A-Za-z0-9_=-]+([.+][A-Za-z0-9_=-]+)*$`)

// checkReturnPath wants an address to whose name a code can be added.
func checkReturnPath(s string) string {
	if problem := checkAddress(s, true); problem != "" {
		return problem
	}
	local, domain := s[:strings.LastIndexByte(s, '@')], s[strings.LastIndexByte(s, '@')+1:]
	switch {
	case len(local) > returnPathLocal:
		return fmt.Sprintf("%q is too long before the @: a code is added to it, which leaves room for %d characters", s, returnPathLocal)
	case !plainLocal.MatchString(local):
		return fmt.Sprintf("%q must have letters, digits, and single dots alone before the @", s)
	}
	return checkDomain(domain)
}

var placeholder = regexp.MustCompile(`:[A-Za-z_]*`)

var placeholders = []string{":slug", ":category", ":year", ":month", ":day"}

func checkPermalink(s string) string {
	for _, p := range placeholder.FindAllString(s, -1) {
		if !slices.Contains(placeholders, p) {
			return fmt.Sprintf("%q is not a placeholder%s: there are %s", p, suggestion(p, placeholders), strings.Join(placeholders, " "))
		}
	}
	switch {
	case !strings.HasPrefix(s, "/"):
		return fmt.Sprintf("%q must start with /", s)
	case !strings.Contains(s, ":slug"):
		return fmt.Sprintf("%q must hold :slug, or posts could not be told apart", s)
	case strings.ContainsAny(s, "?#\\ "), strings.Contains(s, "//"), strings.Contains(s, "/.."), strings.Contains(s, "/./"):
		return fmt.Sprintf("%q is not a plain path such as /posts/:slug/", s)
	}
	return ""
}

func checkListen(s string) string {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Sprintf("%q is not an address to listen on: write host:port, such as 127.0.0.1:8080 or :8080", s)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Sprintf("%q has an impossible port", s)
	}
	if host == "" {
		return ""
	}
	return checkHost(host)
}

var hostName = regexp.MustCompile(`^[\pL\pN_]([\pL\pN_-]*[\pL\pN_])?(\.[\pL\pN_]([\pL\pN_-]*[\pL\pN_])?)*\.?$`)

func checkHost(s string) string {
	if _, err := netip.ParseAddr(s); err == nil || hostName.MatchString(s) {
		return ""
	}
	if host, port, err := net.SplitHostPort(s); err == nil {
		return fmt.Sprintf("%q must be a host alone: write %q here and %s under port", s, host, port)
	}
	return fmt.Sprintf("%q is not a host name or IP address", s)
}

func checkDomain(s string) string {
	if hostName.MatchString(s) {
		return ""
	}
	return fmt.Sprintf("%q is not a domain name", s)
}

const sqliteScheme = "sqlite:"

// checkDatabase must not repeat its argument, which may hold a password.
func checkDatabase(s string) string {
	if path, ok := strings.CutPrefix(s, sqliteScheme); ok {
		return checkSQLite(path)
	}
	if !strings.HasPrefix(s, "postgres://") && !strings.HasPrefix(s, "postgresql://") {
		return "must start with sqlite: or postgres://, such as sqlite:data/tidings.db"
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "not a valid address: special characters in a password are written %XX, @ as %40"
	case u.Hostname() == "" && u.Query().Get("host") == "":
		return "names no host: postgres://user:password@host/name"
	}
	return ""
}

func checkSQLite(path string) string {
	switch {
	case strings.Trim(path, "/") == "":
		return "names no file: sqlite:data/tidings.db"
	case strings.HasPrefix(path, ":memory:"):
		return "a database in memory would forget who was mailed: name a file, sqlite:data/tidings.db"
	case strings.ContainsAny(path, "?#"):
		return "names a file alone: no options (?…) can follow it"
	}
	return ""
}

func checkNetwork(s string) string {
	if _, err := parseNetwork(s); err != nil {
		return fmt.Sprintf("%q is not a network such as 10.0.0.0/8, nor an IP address", s)
	}
	return ""
}

func parseNetwork(s string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(s); err == nil {
		return ip.WithZone("").Prefix(ip.BitLen())
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

// checkOrigin says what is wrong with the origin of a site (RFC 6454 §6.2).
func checkOrigin(value string) string {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || value != u.Scheme+"://"+u.Host {
		return "is not the origin of a site; write it as https://blog.example.org, without a path"
	}
	return ""
}
