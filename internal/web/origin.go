package web

import (
	"net/http"
	"net/netip"

	"tidings/internal/store"
)

// fromHere notes where what a visitor does comes from, for the record of what
// people agreed to.
func (s *server) fromHere(r *http.Request) *http.Request {
	return r.WithContext(store.WithOrigin(r.Context(), store.Origin{
		Source: "web " + withoutToken(r.URL.Path), Network: network(clientAddr(r, s.TrustedProxies)),
	}))
}

// withWording adds the words that stood on the form.
func withWording(r *http.Request, words string) *http.Request {
	o := store.OriginOf(r.Context())
	o.Wording = words
	return r.WithContext(store.WithOrigin(r.Context(), o))
}

// Sizes of the networks that addresses are cut to: what is left names no person.
const (
	keptOf4 = 24
	keptOf6 = 48
)

// network cuts an address to its network; "" for what is none.
func network(client string) string {
	addr, err := netip.ParseAddr(client)
	if err != nil {
		return ""
	}
	bits := keptOf6
	if addr = addr.Unmap(); addr.Is4() {
		bits = keptOf4
	}
	p, err := addr.WithZone("").Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}
