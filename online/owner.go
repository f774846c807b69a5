package online

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"coldkms/online/journal"
	"coldkms/shared/durable"
)

// ownAs has the relay know by what the leases of this folder are known.
func (r *Relay) ownAs(command string, err error) {
	if err == nil {
		r.own = [2]string{command, command + "-daemon"}
	}
}

// heldBy says to people who holds an item.
func (r *Relay) heldBy(h journal.Held) string {
	switch h.Owner {
	case r.own[0]:
		return "a command of this very relay (" + h.By + "), at work or killed: the next command of it takes over " +
			"what a killed one held"
	case r.own[1]:
		return "the daemon of this very relay (" + h.By + "), at work or killed: the next command of it takes over " +
			"what a killed one held"
	}
	return h.By
}

// ownerName tells relays that share a journal apart by the very file of that
// name in the folder: another container that has the folder is the same owner,
// whoever has a copy of it is not. Where files have no identity, by machine and
// path.
func ownerName(fsys durable.FS, dir string) (string, error) {
	path := filepath.Join(dir, ownerFile)
	name, err := durable.ReadFile(fsys, path, 64)
	if errors.Is(err, fs.ErrNotExist) {
		name = []byte(rand.Text())
		err = durable.Create(fsys, path, name, durable.PermFile, nil)
	}
	if err != nil {
		return "", err
	}
	file, known := durable.Identity(path)
	if !known {
		host, _ := os.Hostname()
		whole, err := filepath.Abs(dir)
		if err != nil {
			return "", err
		}
		file = fmt.Sprintf("%q %q", host, whole)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %s", name, file))
	return hex.EncodeToString(sum[:8]), nil
}

// holderName says to people who holds an item.
func holderName(dir string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "an unnamed machine"
	}
	if whole, err := filepath.Abs(dir); err == nil {
		dir = whole
	}
	return host + ":" + dir
}
