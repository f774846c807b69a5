package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Log is a file that only grows. What Append has acknowledged is on the disk.
//
// It locks the file itself, so a second Log of the same file is refused, whatever
// name it is opened by. It writes only while its path names that file.
//
// After a failed write or sync nobody knows what the disk holds, and a second
// sync may report success for pages that the system has given up; so a Log
// that failed once refuses everything until it is opened, and its content
// checked, again. It is not safe for concurrent use.
type Log struct {
	fs   FS
	path string
	file File
	size int64
	err  error // why it is poisoned
}

// OpenLog opens the log at path, making an empty one of mode 0600 where there
// is none, and returns its content of at most limit bytes.
func OpenLog(fsys FS, path string, limit int64) (*Log, []byte, error) {
	there, err := exists(fsys, path)
	if err != nil {
		return nil, nil, fmt.Errorf("open log: %w", err)
	}
	if !there {
		if err := Create(fsys, path, nil, PermFile, nil); err != nil {
			return nil, nil, fmt.Errorf("open log: %w", err)
		}
	}
	l, err := HoldLog(fsys, path)
	if err != nil {
		return nil, nil, err
	}
	content, err := l.Read(limit)
	if err != nil {
		return nil, nil, errors.Join(err, l.Close())
	}
	return l, content, nil
}

// HoldLog opens the log that is at path and keeps other writers out, before its
// content is read. It fails with ErrLocked if there is another.
func HoldLog(fsys FS, path string) (*Log, error) {
	f, err := fsys.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	l := &Log{fs: fsys, path: path, file: f}
	if err = f.Lock(); err == nil {
		_, err = l.named()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open log %s: %w", path, err), f.Close())
	}
	return l, nil
}

// Read returns the content of at most limit bytes. Append adds to what was read
// last.
func (l *Log) Read(limit int64) ([]byte, error) {
	content, err := ReadFile(l.fs, l.path, limit)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	l.size = int64(len(content))
	return content, l.unchanged()
}

// Append writes data and syncs it. When it returns nil the data is durable.
func (l *Log) Append(data []byte) error {
	return l.do("append to", func() error {
		n, err := l.file.Write(data)
		if err == nil && n != len(data) {
			err = fmt.Errorf("only %d of %d bytes were taken", n, len(data))
		}
		if err == nil {
			err = l.file.Sync()
		}
		l.size += int64(n)
		return err
	})
}

// Truncate cuts the log to size bytes, durably: for a torn last record that
// was never acknowledged.
func (l *Log) Truncate(size int64) error {
	if size < 0 || size > l.size {
		return fmt.Errorf("truncate %s: %d bytes is not within its %d", l.path, size, l.size)
	}
	return l.do("truncate", func() error {
		if err := l.file.Truncate(size); err != nil {
			return err
		}
		l.size = size
		return l.file.Sync()
	})
}

// do runs one change and poisons the log if it fails.
func (l *Log) do(what string, change func() error) error {
	if l.err != nil {
		return fmt.Errorf("%s %s: %w: %w", what, l.path, ErrPoisoned, l.err)
	}
	err := l.unchanged()
	if err == nil {
		err = change()
	}
	if err != nil {
		l.err = err
		return fmt.Errorf("%s %s: %w", what, l.path, err)
	}
	return nil
}

// unchanged finds a second writer that has no lock, and a file that was put in
// the place of this one.
func (l *Log) unchanged() error {
	info, err := l.named()
	if err != nil {
		return err
	}
	if info.Size() != l.size {
		return fmt.Errorf("log %s has %d bytes, %d were expected: something else writes to it", l.path, info.Size(), l.size)
	}
	return nil
}

// named returns the file that is open and locked, if the path names it.
func (l *Log) named() (fs.FileInfo, error) {
	open, err := l.file.Stat()
	if err != nil {
		return nil, err
	}
	there, err := l.fs.Lstat(l.path)
	if err != nil {
		return nil, err
	}
	if !os.SameFile(open, there) {
		return nil, fmt.Errorf("log %s: %w", l.path, ErrReplaced)
	}
	return open, nil
}

// Size is the length of the log in bytes.
func (l *Log) Size() int64 { return l.size }

// Close closes the file and refuses further appends.
func (l *Log) Close() error {
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file, l.err = nil, fs.ErrClosed
	return err
}
