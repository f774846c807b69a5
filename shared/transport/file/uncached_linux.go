package file

import (
	"errors"
	"fmt"
	"io"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"coldkms/shared/durable"
)

// block is what sectors of all disks divide.
const block = 4096

// uncached reads a file as the medium has it. Its pages are dropped first;
// then it is read past memory (O_DIRECT), or, on a file system that has no
// such thing, once more through it. What a stick holds in its own memory
// nobody can see from here.
func uncached(path string, limit int64) (data []byte, direct bool, err error) {
	flags := unix.O_RDONLY | unix.O_NONBLOCK | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := unix.Open(path, flags, 0)
	if err != nil {
		return nil, false, &os.PathError{Op: "open", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, false, err
	case !info.Mode().IsRegular():
		return nil, false, fmt.Errorf("%w but a %s", durable.ErrNotRegular, durable.KindOf(info.Mode()))
	case info.Size() > limit:
		return nil, false, fmt.Errorf("%w: %d bytes, at most %d are read", durable.ErrTooLarge, info.Size(), limit)
	}
	_ = unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED) // a hint; where it is none, so be it
	if data, err := readDirect(path, flags, info, limit); err == nil {
		return data, true, nil
	} else if !errors.Is(err, unix.EINVAL) {
		return nil, false, err
	}
	data, err = io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%w: more than %d bytes", durable.ErrTooLarge, limit)
	}
	return data, false, err
}

func readDirect(path string, flags int, seen os.FileInfo, limit int64) ([]byte, error) {
	fd, err := unix.Open(path, flags|unix.O_DIRECT, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	if info, err := f.Stat(); err != nil || !os.SameFile(info, seen) {
		return nil, errors.Join(durable.ErrNotRegular, err)
	}
	buffer := aligned(int(limit)/block*block + 2*block)
	n := 0
	for n < len(buffer) {
		more, err := unix.Pread(fd, buffer[n:], int64(n))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, err
		}
		n += more
		if more == 0 || more%block != 0 { // the last block is short at the end of the file
			break
		}
	}
	return buffer[:n], nil
}

// aligned makes n bytes that begin at a block's boundary.
func aligned(n int) []byte {
	b := make([]byte, n+block)
	skip := 0
	if at := int(uintptr(unsafe.Pointer(&b[0])) % block); at != 0 {
		skip = block - at
	}
	return b[skip : skip+n]
}
