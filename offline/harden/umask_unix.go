//go:build unix

package harden

import "golang.org/x/sys/unix"

// privateFiles sets the umask: whatever the program writes, also by a library,
// is not for others to read.
func privateFiles(r *Report) {
	unix.Umask(0o077)
	r.add(OwnFiles, true, "umask is 077")
}
