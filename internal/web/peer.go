package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// fromThisMachine reports whether a request was made on this machine, for
// this machine: its peer is on loopback, it asks for a loopback host (else a
// foreign page could reach us by rebinding its name) and it has not come
// through a proxy, whose own peer on loopback says nothing of the visitor.
// HTTP/1.0 is what nginx speaks when it is told nothing else; it then sends
// our own address as the host and no forwarding header.
func fromThisMachine(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback() && loopbackHost(r.Host) && !forwarded(r.Header) && r.ProtoAtLeast(1, 1)
}

// loopbackHost reports whether a Host header names this machine.
func loopbackHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// forwarded reports whether any header betrays a proxy.
func forwarded(h http.Header) bool {
	for name := range h {
		n := strings.ToLower(name)
		switch {
		case n == "forwarded", n == "via", n == "x-real-ip", n == "x-client-ip", n == "x-cluster-client-ip",
			n == "true-client-ip", n == "fastly-client-ip", n == "fly-client-ip",
			strings.HasPrefix(n, "x-forwarded"), strings.HasPrefix(n, "x-original-"), strings.HasPrefix(n, "cf-"):
			return true
		}
	}
	return false
}

// clientAddr gives the address of the visitor: the peer's, or, if the peer is
// a trusted proxy, the last in X-Forwarded-For that is not one; unknownAddr if
// a trusted proxy names none there. A client can write what it likes at the
// front of that list, never at its end.
func clientAddr(r *http.Request, trusted []netip.Prefix) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	addr := peer.Addr().Unmap()
	hops := strings.FieldsFunc(strings.Join(r.Header.Values("X-Forwarded-For"), ","), func(c rune) bool { return c == ',' })
	for _, hop := range slices.Backward(hops) {
		if !within(addr, trusted) {
			break
		}
		next, ok := forwardedAddr(hop)
		if !ok {
			return unknownAddr
		}
		addr = next
	}
	return addr.String()
}

// unknownAddr stands for a visitor whom a proxy does not name (RFC 7239 §6.2).
const unknownAddr = "unknown"

// forwardedAddr reads an address as proxies write it: alone, in brackets, with
// a port.
func forwardedAddr(hop string) (netip.Addr, bool) {
	hop = strings.Trim(strings.TrimSpace(hop), `"`)
	if withPort, err := netip.ParseAddrPort(hop); err == nil {
		return withPort.Addr().Unmap(), true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(hop, "["), "]"))
	return addr.Unmap(), err == nil
}

func within(addr netip.Addr, networks []netip.Prefix) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(addr) })
}
