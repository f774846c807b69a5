// Package loopback tells this machine's own addresses from all others.
package loopback

import "net/netip"

// Is reports whether a host is this machine: localhost, or a loopback address.
// Other names are not looked up.
func Is(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
