package qrcli

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"slices"
	"strings"

	"coldkms/shared/capture"
	"coldkms/shared/capture/camera"
	"coldkms/shared/qr"
	"coldkms/shared/transport"
)

// Errors.
var (
	ErrIncomplete = errors.New("the pictures ended before everything was read")
	ErrNoSymbol   = errors.New("no QR symbol was found in the pictures")
	ErrTooMuch    = errors.New("reading was stopped, because there is no end to the pictures")
)

// Bounds of what is not live: a few kilobytes of a GIF or a stream can stand for
// hours of work.
const (
	maxIdle = 4 << 30  // pixels without anything new: a minute of 1080p
	maxAll  = 64 << 30 // pixels
)

// Status is how far a reading has come.
type Status struct {
	transport.Progress
	Pictures int   // looked at
	Symbols  int   // read
	Foreign  int   // of them: not parts of anything of ours
	Last     error // why the last part was of no use, if it was not
}

// String says it in a line.
func (s Status) String() string {
	switch {
	case s.Symbols == 0:
		return fmt.Sprintf("looking for a QR symbol: %d pictures so far", s.Pictures)
	case s.Need == 0:
		return fmt.Sprintf("%d symbols read, none of them a part of a file", s.Symbols)
	}
	line := fmt.Sprintf("%d of %d parts, %d pictures", s.Have, s.Need, s.Pictures)
	if s.Repeats && s.Have == s.Need {
		line = fmt.Sprintf("all %d parts, %d of them seen again to be sure, %d pictures", s.Need, s.Again, s.Pictures)
	}
	if n := len(s.Missing); n > 0 && n <= 12 {
		numbers := make([]string, n)
		for i, m := range s.Missing {
			numbers[i] = fmt.Sprint(m + 1)
		}
		line += ", missing " + strings.Join(numbers, " ")
	}
	if s.Streams > 1 {
		line += fmt.Sprintf(", %d files at once", s.Streams)
	}
	return line
}

// Source opens what shows symbols: a camera (/dev/video0), "-" for a stream on
// stdin, a picture, a GIF, a video or a folder. live says that pictures come at
// their own pace.
func Source(path string, stdin io.Reader) (src capture.Source, closer io.Closer, live bool, err error) {
	if camera.IsDevice(path) {
		c, err := camera.Open(path)
		return c, c, true, err
	}
	src, closer, err = capture.Open(path, stdin)
	return src, closer, false, err
}

// symbols reads the texts of a picture.
type symbols struct{ reader qr.Reader }

// Read implements Reader.
func (s *symbols) Read(img *image.Gray) []string {
	var texts []string
	for _, found := range s.reader.Read(img) {
		texts = append(texts, found.Text)
	}
	return texts
}

// Receive reads pictures until a payload is complete. tell is called after
// each picture; nil is silence.
func Receive(ctx context.Context, src capture.Source, live bool, tell func(Status)) (transport.Payload, error) {
	d := transport.NewDecoder()
	err := receive(ctx, src, live, tell, d)
	payload, done := d.Result()
	if err == nil && !done {
		err = transport.ErrMixed
	}
	return payload, err
}

// SeveralError is returned for pictures of more than one file: nobody has said
// which is meant.
type SeveralError struct {
	Names []string // of those that are complete, as Name has them
	Begun int      // files of which parts are missing
	Mixed bool     // there are parts that contradict each other, or too many files
}

// Error implements error.
func (e *SeveralError) Error() string {
	said := slices.Clone(e.Names)
	if e.Begun > 0 {
		said = append(said, fmt.Sprintf("%d of which parts are missing", e.Begun))
	}
	if e.Mixed {
		said = append(said, "parts that contradict each other, as those of two files do")
	}
	return "the pictures hold more than one file, or not the one that was named: " + strings.Join(said, ", ")
}

// ReceiveOnly reads pictures to their end. Where they hold more than one file, it
// returns the one whose Name is only, or a SeveralError.
func ReceiveOnly(ctx context.Context, src capture.Source, only string, tell func(Status)) (transport.Payload, error) {
	d := transport.NewSeveral()
	err := receive(ctx, src, false, tell, d)
	all, begun, mixed := d.Results()
	if len(all) == 0 && !mixed && begun < 2 || err != nil && !errors.Is(err, ErrIncomplete) {
		return transport.Payload{}, err
	}
	several := &SeveralError{Begun: begun, Mixed: mixed}
	for _, p := range all {
		if several.Names = append(several.Names, Name(p)); Name(p) == only {
			return p, nil
		}
	}
	if len(all) == 1 && begun == 0 && !mixed && only == "" {
		return all[0], nil
	}
	return transport.Payload{}, several
}

// receive reads pictures into a Decoder until it is over, or returns why it is not.
func receive(ctx context.Context, src capture.Source, live bool, tell func(Status), d *transport.Decoder) error {
	var s Status
	err := each(ctx, src, live, func(texts []string) (stop, news bool) {
		before := s.Have + s.Again
		s.Pictures++
		for _, text := range texts {
			s.Symbols++
			switch err := d.Add(text); {
			case errors.Is(err, transport.ErrForeign):
				s.Foreign++
				if _, part := transport.LaneOf(text); part {
					s.Last = err // of a kind that is not read here, and the person should know
				}
			case err != nil:
				s.Last = err
			}
		}
		s.Progress = d.Progress()
		if tell != nil && !d.Over() {
			tell(s)
		}
		return d.Over(), s.Have+s.Again > before
	})
	switch {
	case d.Over():
		return nil
	case errors.Is(err, ErrTooMuch):
		return fmt.Errorf("%w: %s", err, s)
	case err != nil:
		return err
	case s.Symbols == 0:
		return fmt.Errorf("%w: %d pictures were looked at", ErrNoSymbol, s.Pictures)
	case s.Last != nil && s.Have == 0:
		return fmt.Errorf("%w: %w", ErrIncomplete, s.Last)
	}
	return fmt.Errorf("%w: %s", ErrIncomplete, s)
}

// ReceiveText returns the text of the first symbol that is read.
func ReceiveText(ctx context.Context, src capture.Source, live bool) (text string, err error) {
	err = each(ctx, src, live, func(texts []string) (stop, news bool) {
		if len(texts) > 0 {
			text = texts[0]
		}
		return text != "", false
	})
	if err == nil && text == "" {
		err = ErrNoSymbol
	}
	return text, err
}

// each hands the texts of picture after picture to take until it has enough, or
// until what is not live has too much in which take finds no news.
func each(ctx context.Context, src capture.Source, live bool, take func([]string) (stop, news bool)) error {
	p := newPool(src, func() Reader { return &symbols{} }, live)
	defer p.end()
	inOrder := queue{early: make(map[int]found)}
	idle, all := 0, 0
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case read, more := <-p.texts:
			if !more {
				return p.err
			}
			for _, seen := range inOrder.next(read) {
				stop, news := take(seen.texts)
				if stop {
					return nil
				}
				all += seen.pixels
				if idle += seen.pixels; news {
					idle = 0
				}
				if !live && (idle > maxIdle || all > maxAll) {
					return ErrTooMuch
				}
			}
		}
	}
}
