package online

import (
	"errors"
	"fmt"

	"coldkms/online/journal"
)

// Unnoted is an error after something was done outside and could not be recorded in
// the journal. The same command finds out what became of it, and does nothing twice.
type Unnoted struct {
	ID   string
	Done string // a sentence
	Err  error
}

// Error says what was done, and not what SQLite calls a full disk.
func (e *Unnoted) Error() string {
	why := e.Err.Error()
	if journal.NoRoom(e.Err) {
		why = "the disk of the journal is full"
	}
	return fmt.Sprintf("item %s: %s, and that could not be noted here: %s", e.ID, e.Done, why)
}

// Unwrap returns why it could not be noted.
func (e *Unnoted) Unwrap() error { return e.Err }

// unnoted wraps an error of the journal in an Unnoted if anything was done outside
// before.
func unnoted(id, done string, err error) error {
	if done == "" || !journal.IsFull(err) && !errors.Is(err, journal.ErrAway) {
		return err
	}
	return &Unnoted{id, done, err}
}
