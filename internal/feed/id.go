package feed

import (
	"net/url"

	"github.com/google/uuid"
)

// atomID makes an id the absolute URI that Atom demands (RFC 4287 §4.2.6). One
// that is none becomes a name-based UUID, so that it stays the same for ever.
func atomID(id string) string {
	if u, err := url.Parse(id); err == nil && u.IsAbs() && address(id) == id {
		return id
	}
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(id)).URN()
}
