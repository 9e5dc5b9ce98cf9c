package newsletter

import (
	"bufio"
	"cmp"
	"embed"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"tidings/internal/mail"
	"tidings/internal/store"
)

// SignUpRules says what is asked of those who sign up. The zero value refuses
// no address and has the usual limits.
type SignUpRules struct {
	Disposable  List          // domains whose addresses are refused
	Role        List          // names before the @ that are refused
	PerAddress  int           // sign-ups of one mailbox a day; 0: 3
	PerHour     int           // sign-ups of all an hour; 0: 500
	Unconfirmed time.Duration // what nobody confirms is forgotten after this; 0: 30 days
}

const (
	perAddress  = 3
	perHour     = 500
	unconfirmed = 30 * 24 * time.Hour
	addressDay  = 24 * time.Hour

	linksPerSignUp = 10 // requests for links in an hour, for each sign-up
	reserved       = 5  // one part of so many is for networks that had none
)

func (r SignUpRules) limits(now time.Time) store.SignUpLimits {
	all := cmp.Or(r.PerHour, perHour)
	return store.SignUpLimits{
		PerMailbox: cmp.Or(r.PerAddress, perAddress), MailboxSince: now.Add(-addressDay),
		All: all, AllSince: now.Add(-time.Hour), Reserve: all / reserved,
	}
}

// linkLimits are those of mails with the link to one's own page. They reach
// none but people on record, and few mails each of these; so all may ask for
// more of them than for newsletters.
func (r SignUpRules) linkLimits(now time.Time) store.SignUpLimits {
	l := r.limits(now)
	l.All *= linksPerSignUp
	l.Reserve, l.PerMailbox = l.All/reserved, linkLimit
	return l
}

func (r SignUpRules) unconfirmed() time.Duration { return cmp.Or(r.Unconfirmed, unconfirmed) }

// refuse says why an address is not wanted; nil if it is.
func (r SignUpRules) refuse(a mail.Address) error {
	local, _, _ := strings.Cut(a.Mailbox(), "@")
	if r.Role[local] {
		return ErrRole
	}
	for domain, more := a.Domain, true; more; _, domain, more = strings.Cut(domain, ".") {
		if r.Disposable[domain] {
			return ErrDisposable
		}
	}
	return nil
}

// A List is a set of domains, in the form of the DNS, or of names.
type List map[string]bool

//go:embed lists
var lists embed.FS

// Names of the lists that come with the program.
const (
	DisposableDomains = "disposable-domains"
	RoleNames         = "role-names"
)

// OpenList reads a list from a file, one entry on each line; "" means the one
// that comes with the program.
func OpenList(name, file string) (List, error) {
	if file == "" {
		f, err := lists.Open("lists/" + name + ".txt")
		if err != nil {
			return nil, fmt.Errorf("built-in list: %w", err)
		}
		defer f.Close()
		return readList(f)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("list of %s: %w", strings.ReplaceAll(name, "-", " "), err)
	}
	defer f.Close()
	list, err := readList(f)
	if err != nil {
		return nil, fmt.Errorf("list of %s: read %s: %w", strings.ReplaceAll(name, "-", " "), file, err)
	}
	return list, nil
}

// readList leaves out empty lines and what follows a "#".
func readList(r io.Reader) (List, error) {
	list := List{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		entry, _, _ := strings.Cut(lines.Text(), "#")
		entry = strings.ToLower(strings.Trim(entry, " \t\r.@\ufeff"))
		if ascii, err := idna.Lookup.ToASCII(entry); err == nil {
			entry = ascii
		}
		if entry != "" {
			list[entry] = true
		}
	}
	return list, lines.Err()
}
