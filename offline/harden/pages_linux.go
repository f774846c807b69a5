package harden

import "golang.org/x/sys/unix"

// takePages maps memory of its own, away from the collector, and locks it. It
// is never given back: what is derived from it may be in use until the end.
func takePages(size int) (chunk []byte, locked bool) {
	chunk, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, false
	}
	_ = unix.Madvise(chunk, unix.MADV_DONTDUMP) // core files are off already
	_ = unix.Madvise(chunk, unix.MADV_WIPEONFORK)
	return chunk, unix.Mlock(chunk) == nil
}
