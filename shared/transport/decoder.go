package transport

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coldkms/shared/transport/bbqr"
	"coldkms/shared/transport/plain"
	"coldkms/shared/transport/rlnc"
	"coldkms/shared/transport/ur"
)

// Bounds of a Decoder.
const (
	maxStreams = 8
	maxMemory  = 28 << 20 // bytes of all streams together: one of the largest, and half of what the collector lets the heap grow to
)

// Payload is what came across.
type Payload struct {
	Lane  Lane
	Kind  Kind
	Bytes []byte
}

// Decoder takes parts in any order, of one or of several streams, and whatever
// else a camera sees. It is used by one goroutine.
type Decoder struct {
	words   *ur.Reader
	streams []*stream // the one that was added to last, last
	done    *Payload

	several  bool
	all      []complete      // if several
	finished map[string]bool // keys of streams that name their content, or that are mixed
	mixed    bool            // parts were seen that contradict each other
}

// complete is a payload of a Decoder of NewSeveral, and whose parts it is of.
type complete struct {
	key string
	Payload
}

// ErrMixed is returned where two parts under one number differ: parts of two
// files were seen, in a lane in which nothing says which part is of which.
var ErrMixed = errors.New("parts of two different files were seen, which cannot be told apart")

// stream is one payload that is being put together.
type stream struct {
	key  string
	over bool // its payload is complete
	lane Lane
	kind Kind
	join joiner
	add  func(part any) bool

	number func(part any) int // of a part whose lane has no check of the whole, in several parts; else nil
	again  map[int]bool       // numbers of parts that were seen once more after all were there
}

// repeated reports whether what was put together can be taken: every part was
// seen once more after the last was there, which those of another file, shown
// instead of it meanwhile, would contradict.
func (s *stream) repeated() bool {
	_, need := s.join.Progress()
	return s.number == nil || len(s.again) == need
}

// joiner is what the decoders of all lanes have in common.
type joiner interface {
	Progress() (have, need int)
	Bytes() int
	Result() (payload []byte, done bool, err error)
}

// Progress is how far a stream has come. Have is a rank: at Need it is done, unless it
// Repeats.
type Progress struct {
	Lane       Lane
	Have, Need int
	Streams    int   // at once
	Missing    []int // of a BBQr, parts from 0; the other lanes miss none in particular
	Again      int   // parts that were seen once more, if Repeats: at Need it is done
	Repeats    bool  // nothing in the parts tells two files apart: all are to be seen once more
}

// NewDecoder returns a Decoder that has read nothing.
func NewDecoder() *Decoder { return &Decoder{words: ur.NewReader()} }

// NewSeveral returns a Decoder that goes on after a payload is complete, for what
// ends by itself, such as a folder of pictures.
func NewSeveral() *Decoder {
	return &Decoder{words: ur.NewReader(), several: true, finished: map[string]bool{}}
}

// Add reads the text of a symbol. After an error the parts that were read before
// are kept. The error is ErrForeign for text that is not a part.
func (d *Decoder) Add(text string) error {
	switch {
	case d.several:
	case d.mixed:
		return ErrMixed
	case d.done != nil:
		return nil
	}
	lane, named := LaneOf(text)
	if !named {
		lane = Plain // or nothing: its content tells
	}
	key, fresh, part, err := d.parse(lane, text)
	if err != nil {
		return err
	}
	if d.finished[key] {
		return nil
	}
	s := d.stream(key, fresh)
	have, need := s.join.Progress()
	if !s.add(part) {
		d.refuse(s)
		return ErrMixed
	}
	if s.number != nil && have == need {
		s.again[s.number(part)] = true
	}
	payload, done, err := s.join.Result()
	if err != nil {
		d.fail(s)
		return err
	}
	if done && (d.several || s.repeated()) {
		if s.lane == Plain {
			s.kind = kindOfPlain(payload)
		}
		d.finish(s, Payload{Lane: s.lane, Kind: s.kind, Bytes: payload})
		return nil
	}
	d.makeRoom()
	return nil
}

// refuse gives up a stream in which parts contradict each other, and what was
// put together of it.
func (d *Decoder) refuse(s *stream) {
	d.mixed, d.done = true, nil
	d.drop(s)
	if d.several {
		d.finished[s.key] = true
		d.all = slices.DeleteFunc(d.all, func(had complete) bool { return had.key == s.key })
	}
}

// fail begins a stream again whose parts are not of one file. Where the parts of
// several files are seen once, it gives the stream up instead.
func (d *Decoder) fail(s *stream) {
	if d.several && s.number != nil {
		d.refuse(s)
		return
	}
	d.drop(s)
}

// finish keeps a payload, and drops its stream if the key identifies later parts
// of it: those of a BBQr or of plain text look like parts of other files.
func (d *Decoder) finish(s *stream, p Payload) {
	if d.done == nil {
		d.done = &p
	}
	if !d.several {
		d.streams = nil
		return
	}
	if s.over = true; s.lane == Fast || s.lane == UR {
		d.finished[s.key] = true
		d.drop(s)
	}
	if !slices.ContainsFunc(d.all, func(had complete) bool { return bytes.Equal(had.Bytes, p.Bytes) }) {
		d.all = append(d.all, complete{s.key, p})
	}
}

// Results returns all payloads that were complete, in that order, and how many
// others have begun. mixed says that parts of several were under one name, or that
// there were too many files, so that there may be more. It is for a Decoder of NewSeveral.
func (d *Decoder) Results() (all []Payload, begun int, mixed bool) {
	for _, s := range d.streams {
		if !s.over && !d.isPartOf(s) {
			begun++
		}
	}
	for _, had := range d.all {
		all = append(all, had.Payload)
	}
	return all, begun, d.mixed
}

// isPartOf reports whether a stream of the fast lane is of a payload that is
// complete, in parts of another size.
func (d *Decoder) isPartOf(s *stream) bool {
	return s.lane == Fast && slices.ContainsFunc(d.all, func(p complete) bool {
		sum := sha256.Sum256(p.Bytes)
		return strings.HasPrefix(s.key, fmt.Sprintf("%x/", sum[:8]))
	})
}

// parse reads a part, and returns how to begin its stream.
func (d *Decoder) parse(lane Lane, text string) (key string, fresh func() *stream, part any, err error) {
	switch lane {
	case Fast:
		p, err := rlnc.Parse(text)
		return p.Key(), func() *stream {
			dec := rlnc.NewDecoder(p)
			return &stream{lane: lane, kind: Bytes, join: dec,
				add: func(part any) bool { dec.Add(part.(rlnc.Part)); return true }}
		}, p, err
	case UR:
		p, err := d.words.Parse(text)
		if err == nil && kindOfUR(p.Type) == "" {
			err = fmt.Errorf("%w: a UR of type %q", ErrForeign, p.Type)
		}
		return p.Key(), func() *stream {
			dec := ur.NewDecoder(p)
			return &stream{lane: lane, kind: kindOfUR(p.Type), join: dec,
				add: func(part any) bool { dec.Add(part.(ur.Part)); return true }}
		}, p, err
	case Plain:
		p, err := plain.Parse(text)
		if err != nil {
			err = ErrForeign
		}
		return p.Key(), func() *stream {
			dec := plain.NewDecoder(p)
			s := &stream{lane: lane, join: dec, add: func(part any) bool { return dec.Add(part.(plain.Part)) }}
			if p.Of > 1 {
				s.number, s.again = func(part any) int { return part.(plain.Part).Number }, map[int]bool{}
			}
			return s
		}, p, err
	default:
		p, err := bbqr.Parse(text)
		if err == nil && kindOfBBQr(p.Type) == "" {
			err = fmt.Errorf("%w: a BBQr of type %c", ErrForeign, p.Type)
		}
		return p.Key(), func() *stream {
			dec := bbqr.NewDecoder(p)
			s := &stream{lane: lane, kind: kindOfBBQr(p.Type), join: dec,
				add: func(part any) bool { return dec.Add(part.(bbqr.Part)) }}
			if p.Total > 1 {
				s.number, s.again = func(part any) int { return part.(bbqr.Part).Index }, map[int]bool{}
			}
			return s
		}, p, err
	}
}

func kindOfUR(name string) Kind {
	switch name {
	case ur.Bytes:
		return Bytes
	case ur.PSBT, ur.CryptoPSBT:
		return PSBT
	}
	return ""
}

func kindOfPlain(payload []byte) Kind {
	if plain.TypeOf(payload) == plain.PSBT {
		return PSBT
	}
	return Transaction
}

func kindOfBBQr(name byte) Kind {
	switch name {
	case bbqr.Binary:
		return Bytes
	case bbqr.PSBT:
		return PSBT
	case bbqr.Transaction:
		return Transaction
	case bbqr.Text:
		return Text
	}
	return ""
}

// stream finds the stream of this key, or begins it, and makes it the last.
func (d *Decoder) stream(key string, fresh func() *stream) *stream {
	for i, s := range d.streams {
		if s.key == key {
			d.streams = append(append(d.streams[:i:i], d.streams[i+1:]...), s)
			return s
		}
	}
	s := fresh()
	s.key = key
	d.streams = append(d.streams, s)
	return s
}

func (d *Decoder) drop(gone *stream) {
	for i, s := range d.streams {
		if s == gone {
			d.streams = append(d.streams[:i:i], d.streams[i+1:]...)
			return
		}
	}
}

// makeRoom drops the streams that were not added to for longest, until what
// is left fits.
func (d *Decoder) makeRoom() {
	sum := 0
	for i := len(d.streams) - 1; i >= 0; i-- {
		sum += d.streams[i].join.Bytes()
		if i < len(d.streams)-1 && (sum > maxMemory || len(d.streams)-i > maxStreams) {
			d.mixed = d.mixed || d.several
			d.streams = d.streams[i+1:]
			return
		}
	}
}

// Progress is that of the stream that was added to last.
func (d *Decoder) Progress() Progress {
	if len(d.streams) == 0 {
		return Progress{}
	}
	s := d.streams[len(d.streams)-1]
	p := Progress{Lane: s.lane, Streams: len(d.streams)}
	p.Have, p.Need = s.join.Progress()
	if m, ok := s.join.(*bbqr.Decoder); ok {
		p.Missing = m.Missing()
	}
	p.Again, p.Repeats = len(s.again), s.number != nil && !d.several
	return p
}

// Over reports whether no other part changes anything: there is a payload, or
// ErrMixed. One of NewSeveral never is.
func (d *Decoder) Over() bool { return !d.several && (d.done != nil || d.mixed) }

// Result returns the first payload that was complete.
func (d *Decoder) Result() (Payload, bool) {
	if d.done == nil {
		return Payload{}, false
	}
	return *d.done, true
}
