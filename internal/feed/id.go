package feed

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// atomID makes an id the absolute IRI that Atom demands (RFC 4287 §4.2.6). One
// that is none becomes a name-based UUID, so that it stays the same for ever.
func atomID(id string) string {
	if u, err := url.Parse(id); err == nil && u.IsAbs() && strings.IndexFunc(id, notInIRI) < 0 {
		return id
	}
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(id)).URN()
}

// notInIRI tells what no IRI has (RFC 3987 §2.2); letters beyond ASCII may be
// in one, and an id that has them must stay as it is.
func notInIRI(r rune) bool {
	if r < utf8.RuneSelf {
		return notInURI(r)
	}
	return r == utf8.RuneError || !unicode.IsGraphic(r) || unicode.IsSpace(r)
}
