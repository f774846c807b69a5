package journal

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// endless goes on with the same block for ever, and counts what is read.
type endless struct {
	block string
	n     int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.block)
	e.n += n
	if e.n > 2*maxBackupLine { // where nobody stops it
		return n, io.EOF
	}
	return n, nil
}

// A line that goes on for ever is given up as soon as it is longer than one of
// its kind can be.
func TestLineOfBackupIsBounded(t *testing.T) {
	t.Parallel()
	for begins, most := range map[string]int{"": maxBackupPlain, `{"table":"`: maxBackupPlain, `["`: maxBackupLine} {
		in := &endless{block: strings.Repeat("x", 1<<16)}
		r, err := newBackupReader(io.MultiReader(strings.NewReader(`{"coldkms":"backup","version":1,"schema":1,"relay":"00"}`+"\n"+`{"table":"items","columns":["a"]}`+"\n"+begins), in))
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.next(nil)
		if !errors.Is(err, ErrBackup) || !strings.Contains(err.Error(), "a line of it has more than") || in.n > most+2*maxBackupPlain {
			t.Errorf("%q: %d bytes read: %v", begins, in.n, err)
		}
	}
}
