//go:build !unix

package harden

// privateFiles cannot do here what it does on Unix: folders of the user's own
// keep others out.
func privateFiles(r *Report) {
	r.add(OwnFiles, false, "not available on this system: keep the wallet in a folder of your own")
}
