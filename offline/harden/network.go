package harden

import (
	"io/fs"
	"strings"
)

// SysNet is where Linux shows its network interfaces.
const SysNet = "/sys/class/net"

// NetworkUp names the network interfaces that are up, loopback aside, from the
// files that Linux shows them in (SysNet): no socket is needed to look. known is
// false where there are no such files; then nobody can say.
func NetworkUp(sys fs.FS) (up []string, known bool) {
	entries, err := fs.ReadDir(sys, ".")
	if err != nil {
		return nil, false
	}
	for _, e := range entries {
		if name := e.Name(); name != "lo" && isUp(sys, name) {
			up = append(up, name)
		}
	}
	return up, true
}

// isUp reports whether an interface could carry anything. The state of a tunnel
// is "unknown" for as long as it works (Linux, Documentation/networking/operstates).
func isUp(sys fs.FS, name string) bool {
	state, err := fs.ReadFile(sys, name+"/operstate")
	if err != nil {
		return true // what cannot be looked at is not vouched for
	}
	switch strings.TrimSpace(string(state)) {
	case "down", "notpresent", "lowerlayerdown", "dormant":
		return false
	case "unknown":
		carrier, err := fs.ReadFile(sys, name+"/carrier")
		return err == nil && strings.TrimSpace(string(carrier)) == "1"
	}
	return true
}
