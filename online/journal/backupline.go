package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// lineReader reads the lines of a backup, as a bufio.Scanner does. It gives up
// a line as soon as it is longer than one of its kind can be, and looks at each
// byte once, however long a line is.
type lineReader struct {
	in   *bufio.Reader
	line []byte
	err  error
}

// Scan reads the next line, and reports whether there is one.
func (r *lineReader) Scan() bool {
	if r.err != nil {
		return false
	}
	r.line = r.line[:0]
	for {
		part, err := r.in.ReadSlice('\n')
		r.line = append(r.line, part...)
		if limit := longest(r.line); len(r.line) > limit {
			r.err = fmt.Errorf("%w: a line of it has more than %d bytes", ErrBackup, limit)
			return false
		}
		switch {
		case err == nil:
			r.line = r.line[:len(r.line)-1]
			return true
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case !errors.Is(err, io.EOF):
			r.err = err
			return false
		}
		r.err = io.EOF
		return len(r.line) > 0
	}
}

// Bytes returns the line, until the next is read.
func (r *lineReader) Bytes() []byte { return r.line }

// Err returns why there is no further line; nil at the end of the file.
func (r *lineReader) Err() error {
	if errors.Is(r.err, io.EOF) && !errors.Is(r.err, io.ErrUnexpectedEOF) {
		return nil
	}
	return r.err
}

func isRow(line []byte) bool { return len(line) > 0 && line[0] == '[' }

// longest returns how many bytes a line that begins so can have.
func longest(line []byte) int {
	if isRow(line) {
		return maxBackupLine
	}
	return maxBackupPlain
}
