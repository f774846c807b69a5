package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"coldkms/shared/durable"
)

// maxFile bounds the ledger that is read into memory, in bytes: some millions
// of payments.
const maxFile = 2 << 30

// maxLine bounds a line, in bytes. The longest is of a transaction with as many
// inputs and outputs as a request may have.
const maxLine = 16 << 20

// ErrFull is returned for a ledger that can take no more lines.
var ErrFull = errors.New("ledger is full")

// maxMark bounds the mark, in bytes.
const maxMark = 1024

// Files keeps a ledger in the file at path and its mark in path.mark. The
// caller holds the wallet's lock.
type Files struct {
	fs   durable.FS
	path string
	copy bool // for looking only, on a medium that may know no permissions
	log  *durable.Log

	readOnly bool // the medium is
}

// NewFiles does not touch the disk yet.
func NewFiles(fsys durable.FS, path string) *Files { return &Files{fs: fsys, path: path} }

// ErrCopy is returned where a copy would be written to.
var ErrCopy = errors.New("this is a backup: a copy is read, and never written to")

// NewCopy is NewFiles for a copy of a ledger, such as one on a stick, which may
// be write-protected and whose file system may know no permissions. It is never
// written to: a torn last line is ignored and stays.
func NewCopy(fsys durable.FS, path string) *Files { return &Files{fs: fsys, path: path, copy: true} }

// Load implements Storage. A ledger that is missing stays so: Append makes it.
func (f *Files) Load() ([]byte, error) {
	if _, err := f.fs.Lstat(f.path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err := f.check(f.path); err != nil {
		return nil, err
	}
	if err := f.checkLines(); err != nil {
		return nil, err
	}
	if f.copy {
		return durable.ReadFile(f.fs, f.path, maxFile)
	}
	content, err := f.open()
	if errors.Is(err, syscall.EROFS) { // to be read; Append fails
		f.readOnly = true
		return durable.ReadFile(f.fs, f.path, maxFile)
	}
	return content, err
}

// checkLines refuses a line that is too long before the file is read into
// memory.
func (f *Files) checkLines() error {
	file, err := f.fs.OpenFile(f.path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	length, lines, fits, buffer := 0, 1, true, make([]byte, 64<<10)
	for {
		n, err := file.Read(buffer)
		for chunk := buffer[:n]; len(chunk) > 0 && length <= maxLine; {
			line, rest, ended := bytes.Cut(chunk, []byte("\n"))
			if fits = fits && mayBeLine(line, length, ended); !fits && ended { // a torn last line may be anything
				return fmt.Errorf("%w: line %d is not a line of a ledger", ErrDamaged, lines)
			}
			if length += len(line); ended && length <= maxLine {
				length = 0
				lines++
			}
			chunk = rest
		}
		switch {
		case length > maxLine:
			return fmt.Errorf("%w: it has a line of more than %d bytes", ErrDamaged, maxLine)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// mayBeLine reports whether bytes from a place of a line on may be of a ledger:
// hexadecimal digits up to the first space, and no control character. It ends
// reading at the first line that is none, however long the file is.
func mayBeLine(part []byte, place int, ended bool) bool {
	if ended && place+len(part) < hexSize+2 {
		return false
	}
	for i, c := range part {
		switch at := place + i; {
		case c < ' ', at == hexSize && c != ' ', at < hexSize && !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f'):
			return false
		}
	}
	return true
}

// check refuses a file that others may write to, as the wallet's.
func (f *Files) check(path string) error {
	if f.copy {
		return nil
	}
	if err := durable.CheckDir(f.fs, filepath.Dir(path)); err != nil {
		return err
	}
	return durable.CheckOwn(f.fs, path)
}

// Hold keeps other processes from writing to the ledger, by whatever name they
// open it, until Close. It does nothing where there is no ledger yet, and where
// the medium is read-only.
func (f *Files) Hold() error {
	if _, err := f.fs.Lstat(f.path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := f.check(f.path); err != nil {
		return err
	}
	log, err := durable.HoldLog(f.fs, f.path)
	if errors.Is(err, syscall.EROFS) {
		return nil
	}
	f.log = log
	return err
}

func (f *Files) open() (content []byte, err error) {
	if f.log != nil {
		return f.log.Read(maxFile)
	}
	f.log, content, err = durable.OpenLog(f.fs, f.path, maxFile)
	return content, err
}

// Append implements Storage. What would not be read again is not written.
func (f *Files) Append(lines []byte) error {
	if f.copy {
		return ErrCopy
	}
	if f.log == nil {
		if _, err := f.open(); err != nil {
			return err
		}
	}
	if f.log.Size()+int64(len(lines)) > maxFile {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrFull, f.log.Size(), int64(maxFile))
	}
	return f.log.Append(lines)
}

// Truncate implements Storage.
func (f *Files) Truncate(size int64) error {
	if f.copy || f.readOnly {
		return nil // what Load gave is all that is looked at
	}
	if f.log == nil {
		return fs.ErrNotExist
	}
	return f.log.Truncate(size)
}

// MarkSuffix is what the name of the mark ends with.
const MarkSuffix = ".mark"

func (f *Files) markPath() string { return f.path + MarkSuffix }

// LoadMark implements Storage.
func (f *Files) LoadMark() ([]byte, error) {
	if _, err := f.fs.Lstat(f.markPath()); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err := f.check(f.markPath()); err != nil {
		return nil, err
	}
	return durable.ReadFile(f.fs, f.markPath(), maxMark)
}

// StoreMark implements Storage.
func (f *Files) StoreMark(mark []byte) error {
	if f.copy {
		return ErrCopy
	}
	if err := durable.Replace(f.fs, f.markPath(), mark, durable.PermFile, nil); err != nil {
		return fmt.Errorf("mark: %w", err)
	}
	return nil
}

// Close releases the file.
func (f *Files) Close() error {
	if f.log == nil {
		return nil
	}
	return f.log.Close()
}
