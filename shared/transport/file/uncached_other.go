//go:build !linux

package file

// uncached is not to be had here: what is read back comes from the system's
// memory, and proves what was handed over, not what the stick kept.
var uncached func(path string, limit int64) (data []byte, direct bool, err error)
