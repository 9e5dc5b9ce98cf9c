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
// a trusted proxy, the last in X-Forwarded-For that is not one. A client can
// write what it likes at the front of that list, never at its end.
func clientAddr(r *http.Request, trusted []netip.Prefix) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	addr := peer.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !within(addr, trusted) {
			break
		}
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		addr = next.Unmap()
	}
	return addr.String()
}

func within(addr netip.Addr, networks []netip.Prefix) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(addr) })
}
