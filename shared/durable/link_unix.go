//go:build unix

package durable

import "os"

// linkNew adds a second name to a file, which fails if the name is taken, and
// takes the first one away. A crash in between leaves both.
func linkNew(from, to string) error {
	if err := os.Link(from, to); err != nil {
		return err
	}
	return os.Remove(from)
}
