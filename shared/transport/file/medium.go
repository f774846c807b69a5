package file

import (
	"fmt"
	"io/fs"
	"path/filepath"

	"coldkms/shared/durable"
)

// Medium is what a folder was on when somebody looked. Between then and the
// writing a person may review for an hour, and pull the stick out: the empty
// folder that it leaves behind would take the file, on this machine's disk.
type Medium struct {
	dir string
	at  fs.FileInfo // of the folder, or of the nearest one that is there
}

// MediumOf looks what a folder is on, or will be once it is made.
func MediumOf(fsys durable.FS, dir string) Medium {
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		if info, err := fsys.Stat(at); err == nil || at == filepath.Dir(at) {
			return Medium{dir, info}
		}
	}
}

// Holds returns ErrGone where the folder is on another medium now. The zero
// Medium, and one of another folder, hold everything.
func (m Medium) Holds(fsys durable.FS, dir string) error {
	if m.at == nil || dir != m.dir {
		return nil
	}
	if now := MediumOf(fsys, dir); now.at == nil || !sameMedium(m.at, now.at) {
		return fmt.Errorf("%w: %s is not on the medium any more that it was on when the command began", ErrGone, dir)
	}
	return nil
}
