package online

import "syscall"

// scarce is how many free bytes are too few for a change of the journal.
const scarce = 64 << 10

// DiskFull reports whether the disk of a folder has no room for a change of the
// journal. It returns false if the free space cannot be determined.
func DiskFull(dir string) bool {
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil || fs.Blocks == 0 {
		return false
	}
	return fs.Bavail < scarce/uint64(max(fs.Bsize, 1)) || fs.Files > 0 && fs.Ffree == 0
}
