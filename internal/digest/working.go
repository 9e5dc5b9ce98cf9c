package digest

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"tidings/internal/tmpl"
)

// works finds what cannot work in a mail that was made of a template: there is
// no address that a relative one could be relative to, and no mail program runs
// scripts or shows frames.
func (p *parser) works(name, source string) error {
	var faults []error
	z := html.NewTokenizer(strings.NewReader(source))
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		tag := z.Token()
		if slices.Contains([]atom.Atom{atom.Script, atom.Iframe, atom.Frame, atom.Object, atom.Embed}, tag.DataAtom) {
			faults = append(faults, p.faultAt(name, "<"+tag.Data, fmt.Sprintf("no mail program shows what is in <%s>; leave it out", tag.Data)))
		}
		for _, a := range tag.Attr {
			if (a.Key == "href" || a.Key == "src" || a.Key == "background") && !leads(a.Val) {
				faults = append(faults, p.faultAt(name, a.Val, fmt.Sprintf("%s=%q leads nowhere from a mail; write the whole address, such as {{.Site.URL}}/about", a.Key, a.Val)))
			}
		}
	}
	return errors.Join(faults...)
}

// leads reports whether an address leads somewhere from within a mail. None at
// all does no harm, nor does one within the mail.
func leads(address string) bool {
	u, err := url.Parse(address)
	if err == nil && (u.Scheme == "javascript" || u.Scheme == "vbscript") {
		return false
	}
	return address == "" || strings.HasPrefix(address, "#") || err == nil && (u.Opaque != "" || u.Host != "")
}

// faultAt is a fault in a file or the frame around it, at the place that holds
// what was written, if one does.
func (p *parser) faultAt(name, written, message string) error {
	for _, n := range []string{name, frameHTML} {
		if f := p.files[n]; written != "" {
			if at := strings.Index(f.Source, written); at >= 0 {
				return f.Fault(at, message)
			}
		}
	}
	return tmpl.Fault{File: name, Line: 1, Column: 1, Message: message}
}
