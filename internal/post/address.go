package post

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"

	"tidings/internal/term"
)

// link gives the explicit address: a path that starts with "/", or an
// absolute URL; "" if there is none that can be used.
func (f *fields) link(published time.Time) string {
	for _, key := range []string{"permalink", "url", "path"} {
		n := f.get(key)
		if n == nil || n.kind == boolKind || n.scalar() == "" {
			continue
		}
		link, err := f.readLink(key, n.scalar(), published)
		if err != nil {
			f.warn(n.line, "%s %q is left out: %v", f.spelling(key), shortened(n.scalar()), err)
			continue
		}
		if link != "" {
			return link
		}
	}
	return ""
}

// readLink gives "" for the names of Jekyll's ways to form addresses.
func (f *fields) readLink(key, link string, published time.Time) (string, error) {
	link = clean(link)
	switch link {
	case "date", "pretty", "ordinal", "weekdate", "none":
		return "", nil
	}
	if strings.Contains(link, "{{") || strings.Contains(link, "{%") {
		return "", fmt.Errorf("templates in addresses are not run")
	}
	if template.MatchString(link) {
		expanded, err := f.expandLink(link, published)
		if err != nil {
			return "", err
		}
		link = expanded
	}
	u, err := url.Parse(link)
	switch {
	case err != nil:
		return "", fmt.Errorf("it is no address")
	case u.Scheme != "":
		return absoluteLink(u)
	case u.Host != "" || strings.Contains(link, `\`):
		return "", fmt.Errorf("an address starts with / or with https://")
	}
	return sitePath(u, key == "path")
}

func absoluteLink(u *url.URL) (string, error) {
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("an address starts with / or with https://")
	}
	return u.String(), nil
}

// sitePath gives the path from the root of the site. Zola's path has no
// slashes around it and stands for a folder.
func sitePath(u *url.URL, folder bool) (string, error) {
	p := u.Path
	if folder && !strings.HasPrefix(p, "/") && !isHTML(p) && !strings.HasSuffix(p, "/") {
		p += "/"
	}
	p = strings.TrimSuffix("/"+strings.TrimPrefix(p, "/"), "index.html")
	if cleaned := path.Clean(p); cleaned != p && cleaned+"/" != p {
		return "", fmt.Errorf("it holds empty or dot elements")
	}
	return p, nil
}

var (
	template    = regexp.MustCompile(`(?:^|[/._-]):[a-z_]+`)
	placeholder = regexp.MustCompile(`:[a-z_]+`)
)

// expandLink fills in the placeholders of Jekyll's permalinks.
func (f *fields) expandLink(link string, published time.Time) (string, error) {
	at := published
	if at.IsZero() {
		at = f.dateOfPlace("")
	}
	var missing string
	expanded := placeholder.ReplaceAllStringFunc(link, func(word string) string {
		value, ok := f.placeholder(word[1:], at)
		if !ok && missing == "" {
			missing = word
		}
		return value
	})
	if missing != "" {
		return "", fmt.Errorf("nothing is known to put for %s", missing)
	}
	return multipleSlashes.ReplaceAllString(expanded, "/"), nil
}

var multipleSlashes = regexp.MustCompile(`/{2,}`)

func (f *fields) placeholder(word string, at time.Time) (string, bool) {
	layouts := map[string]string{"year": "2006", "short_year": "06", "month": "01", "i_month": "1", "short_month": "Jan",
		"day": "02", "i_day": "2", "hour": "15", "minute": "04", "second": "05"}
	if layout, ok := layouts[word]; ok {
		return at.Format(layout), !at.IsZero()
	}
	switch word {
	case "y_day":
		return fmt.Sprintf("%03d", at.YearDay()), !at.IsZero()
	case "title", "slug":
		if slug := f.peek("slug").scalar(); slug != "" {
			return term.Clean(slug), true
		}
		return term.Clean(f.name.slug), true
	case "categories", "category":
		var slugs []string
		for _, name := range f.categories() {
			slugs = append(slugs, term.Clean(name))
		}
		return strings.Join(slugs, "/"), true
	case "output_ext":
		return ".html", true
	}
	return "", false
}

// aliases gives former addresses as paths.
func (f *fields) aliases() []string {
	var paths []string
	for _, key := range []string{"aliases", "alias", "redirectfrom"} {
		n := f.get(key)
		for _, address := range addresses(n) {
			u, err := url.Parse(address)
			if err != nil || u.Path == "" || u.Opaque != "" {
				f.warn(n.line, "%s %q is left out: it is no address", f.spelling(key), shortened(address))
				continue
			}
			alias := path.Clean("/" + u.Path)
			if strings.HasSuffix(u.Path, "/") && alias != "/" {
				alias += "/"
			}
			paths = append(paths, alias)
		}
	}
	return distinctPaths(paths)
}

// addresses reads a list, or one string whole.
func addresses(n *node) []string {
	if n == nil {
		return nil
	}
	var found []string
	items := n.items
	if n.kind != listKind {
		items = []*node{n}
	}
	for _, item := range items[:min(len(items), maxTerms)] {
		if address := clean(item.scalar()); address != "" {
			found = append(found, address)
		}
	}
	return found
}

func distinctPaths(paths []string) []string {
	seen := make(map[string]bool, len(paths))
	var kept []string
	for _, p := range paths {
		if !seen[p] {
			seen[p] = true
			kept = append(kept, p)
		}
	}
	return kept
}

// slug gives the last element of the post's address: the explicit slug, else
// the end of the explicit address, else the file's name.
func (f *fields) slug(p *Post) string {
	given := f.get("slug").scalar()
	for _, candidate := range []string{given, lastElement(p.Link), f.name.slug, p.Title} {
		if slug := term.Clean(plainSlug(candidate)); slug != "" {
			return slug
		}
	}
	return "post-" + term.Suffix(f.file)
}

// plainSlug decodes what is percent-encoded in addresses.
func plainSlug(s string) string {
	if decoded, err := url.PathUnescape(s); err == nil {
		return decoded
	}
	return s
}

func lastElement(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	last := path.Base(strings.TrimSuffix(u.Path, "/"))
	if last == "." || last == "/" {
		return ""
	}
	if isHTML(last) {
		last = strings.TrimSuffix(last, path.Ext(last))
	}
	return last
}

// language gives the declared language, else that of the file's name.
func (f *fields) language() string {
	n := f.first("lang", "language", "locale")
	if n.scalar() == "" {
		return f.name.language
	}
	tag := normalLanguage(n.scalar())
	if tag == "" {
		f.warn(n.line, "%q is no language tag; write one like \"en\" or \"zh-CN\"", shortened(n.scalar()))
		return f.name.language
	}
	return tag
}

// Absolute resolves a reference that stands in a post, such as its picture's;
// "" if that gives no web address.
func Absolute(base *url.URL, ref string) string {
	if ref == "" {
		return ""
	}
	u, err := base.Parse(ref)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.String()
}
