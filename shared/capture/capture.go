// Package capture turns what shows QR symbols into gray pictures, one after the
// other: an image, a folder of images, an animated GIF, a stream of MJPEG or
// Y4M from a pipe. Its first bytes, never its name, tell which it is.
//
// Everything is measured before room is made for it: a picture by its header,
// a part of a stream by a limit.
package capture

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"slices"

	"coldkms/shared/durable"
)

// Bounds of one picture.
const (
	MaxSide  = 8192     // pixels
	MaxArea  = 16 << 20 // pixels
	MaxImage = 64 << 20 // bytes of a file, or of one picture of a stream
)

// Errors.
var (
	ErrFormat = errors.New("not a picture or video that can be read: PNG, JPEG, GIF, MJPEG and Y4M can")
	ErrSize   = errors.New("picture is too large")

	ErrNoPicture = errors.New("neither a picture nor a folder of pictures; a stream is read from stdin, as -")
)

// Source returns pictures until io.EOF. A picture that cannot be read is an
// error of its own, ErrFormat or ErrSize; the next call goes on where the
// source can. The picture is the caller's until the next call.
type Source interface {
	Next() (*image.Gray, error)
}

// Open opens a file or a folder. "-" is stdin. The closer is never nil.
func Open(path string, stdin io.Reader) (Source, io.Closer, error) {
	if path == "-" {
		s, err := Read(stdin)
		return s, io.NopCloser(nil), err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, fmt.Errorf("capture: %w", err)
	}
	if info.IsDir() {
		s, err := folder(path)
		return s, io.NopCloser(nil), err
	}
	if !info.Mode().IsRegular() { // a pipe that nobody writes to would be waited for
		return nil, nil, fmt.Errorf("capture: %s: %w: a %s", path, ErrNoPicture, durable.KindOf(info.Mode()))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("capture: %w", err)
	}
	s, err := Read(f)
	if err != nil {
		_ = f.Close()
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, f, nil
}

// Read tells by the first bytes of a stream what it is.
func Read(r io.Reader) (Source, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	head, err := b.Peek(16)
	if err != nil && len(head) < 4 {
		return nil, fmt.Errorf("capture: %w", ErrFormat)
	}
	switch {
	case bytes.HasPrefix(head, []byte("YUV4MPEG2 ")):
		return newY4M(b)
	case bytes.HasPrefix(head, []byte("GIF8")):
		return newGIF(b)
	case bytes.HasPrefix(head, []byte{0xff, 0xd8}):
		return &mjpeg{r: b}, nil
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		return &single{r: b}, nil
	}
	return nil, fmt.Errorf("capture: %w", ErrFormat)
}

// single is one picture.
type single struct {
	r    io.Reader
	done bool
}

// Next implements Source.
func (s *single) Next() (*image.Gray, error) {
	if s.done {
		return nil, io.EOF
	}
	s.done = true
	b, err := io.ReadAll(io.LimitReader(s.r, MaxImage+1))
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	return decode(b)
}

// pictures is a folder, by name.
type pictures struct {
	paths   []string
	current Source
	file    io.Closer
}

// maxPictures bounds the files of a folder.
const maxPictures = 100_000

func folder(path string) (Source, error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	defer dir.Close()
	entries, err := dir.ReadDir(maxPictures + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("capture: %w", err)
	}
	if len(entries) > maxPictures {
		return nil, fmt.Errorf("capture: %s has more than %d files", path, maxPictures)
	}
	s := &pictures{}
	for _, e := range entries {
		if e.Type().IsRegular() {
			s.paths = append(s.paths, filepath.Join(path, e.Name()))
		}
	}
	slices.Sort(s.paths)
	return s, nil
}

// Next implements Source. It skips files that are not pictures.
func (s *pictures) Next() (*image.Gray, error) {
	for {
		if s.current != nil {
			img, err := s.current.Next()
			if !errors.Is(err, io.EOF) {
				return img, err
			}
			_ = s.file.Close()
			s.current = nil
		}
		if len(s.paths) == 0 {
			return nil, io.EOF
		}
		path := s.paths[0]
		s.paths = s.paths[1:]
		current, file, err := Open(path, nil)
		if errors.Is(err, ErrFormat) {
			continue
		}
		if err != nil {
			return nil, err
		}
		s.current, s.file = current, file
	}
}
