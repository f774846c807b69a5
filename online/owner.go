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

// daemonOf returns the owner of what the daemon of a folder holds, from the owner
// of what its commands hold.
func daemonOf(command string) string { return command + "-daemon" }

// heldBy describes to people who holds an item.
func (r *Relay) heldBy(h journal.Held) string {
	var who string
	switch h.Owner {
	case r.commands:
		who = "a command"
	case daemonOf(r.commands):
		who = "the daemon"
	default:
		return h.By
	}
	return who + " of this very relay (" + h.By + "), at work or killed: the next command of it takes over " +
		"what a killed one held"
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
