package capture

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"strconv"
	"strings"
)

// mjpeg is JPEG after JPEG, as ffmpeg -f mjpeg and cameras write it.
type mjpeg struct {
	r   *bufio.Reader
	buf bytes.Buffer
}

// Next implements Source.
func (m *mjpeg) Next() (*image.Gray, error) {
	if err := m.picture(); err != nil {
		return nil, err
	}
	return decode(m.buf.Bytes())
}

// picture reads up to the end marker of the next JPEG. Inside the pictures'
// data, 0xff is always followed by 0 or a restart marker (ITU T.81, B.1.1.5);
// an end marker inside an embedded thumbnail ends that picture early, which
// then does not decode and is passed over by the caller.
func (m *mjpeg) picture() error {
	m.buf.Reset()
	if err := m.start(); err != nil {
		return err
	}
	m.buf.Write([]byte{0xff, 0xd8})
	last := byte(0)
	for {
		b, err := m.r.ReadByte()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return io.EOF // a picture that was cut off is none
			}
			return fmt.Errorf("capture: %w", err)
		}
		m.buf.WriteByte(b)
		if last == 0xff && b == 0xd9 {
			return nil
		}
		if m.buf.Len() > MaxImage {
			return fmt.Errorf("capture: %w: a JPEG of more than %d bytes", ErrSize, MaxImage)
		}
		last = b
	}
}

// start looks for the next start marker.
func (m *mjpeg) start() error {
	last := byte(0)
	for {
		b, err := m.r.ReadByte()
		if err != nil {
			return io.EOF
		}
		if last == 0xff && b == 0xd8 {
			return nil
		}
		last = b
	}
}

// y4m is uncompressed video, as ffmpeg -f yuv4mpegpipe writes it
// (yuv4mpeg(5)): a header line, then for each picture a line and its planes.
type y4m struct {
	r             *bufio.Reader
	width, height int
	chroma        int64 // bytes of the planes after the first
	img           *image.Gray
}

const maxLine = 1024

func newY4M(r *bufio.Reader) (Source, error) {
	head, err := line(r)
	if err != nil {
		return nil, err
	}
	v := &y4m{r: r}
	space := "420"
	for _, word := range strings.Fields(head)[1:] {
		switch word[0] {
		case 'W':
			v.width, err = strconv.Atoi(word[1:])
		case 'H':
			v.height, err = strconv.Atoi(word[1:])
		case 'C':
			space = word[1:]
		}
		if err != nil {
			return nil, fmt.Errorf("capture: %w: Y4M header", ErrFormat)
		}
	}
	if err := fits(v.width, v.height); err != nil {
		return nil, err
	}
	half := func(n int) int64 { return int64(n+1) / 2 }
	w, h := int64(v.width), int64(v.height)
	switch space {
	case "420", "420jpeg", "420paldv", "420mpeg2":
		v.chroma = 2 * half(v.width) * half(v.height)
	case "422":
		v.chroma = 2 * half(v.width) * h
	case "444":
		v.chroma = 2 * w * h
	case "mono":
	default:
		return nil, fmt.Errorf("capture: %w: Y4M with colours %.20q; eight bits are read, such as -pix_fmt yuv420p or gray",
			ErrFormat, space)
	}
	v.img = image.NewGray(image.Rect(0, 0, v.width, v.height))
	return v, nil
}

// Next implements Source.
func (v *y4m) Next() (*image.Gray, error) {
	head, err := line(v.r)
	if err != nil {
		return nil, err
	}
	if head != "FRAME" && !strings.HasPrefix(head, "FRAME ") {
		return nil, fmt.Errorf("capture: %w: %.20q where a Y4M frame begins", ErrFormat, head)
	}
	if _, err := io.ReadFull(v.r, v.img.Pix); err != nil {
		return nil, io.EOF // a picture that was cut off is none
	}
	if _, err := io.CopyN(io.Discard, v.r, v.chroma); err != nil {
		return nil, io.EOF
	}
	return v.img, nil
}

// line reads a line of a Y4M stream.
func line(r *bufio.Reader) (string, error) {
	var b []byte
	for len(b) <= maxLine {
		c, err := r.ReadByte()
		if err != nil {
			return "", io.EOF
		}
		if c == '\n' {
			return string(b), nil
		}
		b = append(b, c)
	}
	return "", fmt.Errorf("capture: %w: a Y4M line of more than %d bytes", ErrFormat, maxLine)
}
