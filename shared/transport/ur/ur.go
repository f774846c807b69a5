// Package ur is the lane that other wallets read: uniform resources in one part
// or many (BCR-2020-005, BCR-2020-012, BCR-2024-001). Parts beyond the first
// round are mixtures of fragments, as the fountain code of the standard has it;
// they are solved as linear equations, so that nothing which was read is lost.
package ur

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"coldkms/shared/transport/gf2"
)

// Prefix begins every part, in small letters or capitals.
const Prefix = "ur:"

// The types that are written and read. CryptoPSBT is what older wallets call
// a PSBT.
const (
	Bytes      = "bytes"
	PSBT       = "psbt"
	CryptoPSBT = "crypto-psbt"
)

// Bounds.
const (
	MaxMessage   = 16 << 20 // bytes
	MaxFragments = 8192
	maxText      = 16 << 10 // characters of a part
	maxInner     = 8        // arrays and the like within each other, of a part
	minFragment  = 10       // bytes; the reference's
)

// Errors.
var (
	ErrPart     = errors.New("not a part of a UR")
	ErrPayload  = errors.New("payload does not fit a UR")
	ErrChecksum = errors.New("parts do not give the message that they are of")
)

// Encoder makes the parts of one payload, for ever.
type Encoder struct {
	kind      string
	message   []byte
	fragments [][]byte
	checksum  uint32
	seq       uint32
	mix       *mixer
}

// NewEncoder makes a UR of this type that holds a byte string, split so that
// no part has more than about chars characters.
func NewEncoder(kind string, payload []byte, chars int) (*Encoder, error) {
	message, err := cbor.Marshal(payload)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrPayload, err)
	}
	if len(payload) == 0 || len(message) > MaxMessage {
		return nil, fmt.Errorf("%w: %d bytes", ErrPayload, len(payload))
	}
	e := &Encoder{kind: kind, message: message, checksum: crc32.ChecksumIEEE(message)}
	if single := len(Prefix) + len(kind) + 1 + 2*(len(message)+4); single <= chars {
		return e, nil
	}
	// prefix, type, /seq-seqlen/, then CBOR's head of up to 22 bytes and a CRC
	most := (chars-len(Prefix)-len(kind)-2-2*9)/2 - 22 - 4
	if most < minFragment {
		return nil, fmt.Errorf("%w: %d characters are too few for a part", ErrPayload, chars)
	}
	size := fragmentSize(len(message), most)
	count := (len(message) + size - 1) / size
	if count > MaxFragments {
		return nil, fmt.Errorf("%w: more than %d parts", ErrPayload, MaxFragments)
	}
	padded := make([]byte, count*size)
	copy(padded, message)
	for i := range count {
		e.fragments = append(e.fragments, padded[i*size:(i+1)*size])
	}
	e.mix = newMixer(count, e.checksum)
	return e, nil
}

// fragmentSize is the reference's: the largest that the fewest fragments need.
func fragmentSize(length, most int) int {
	size := length
	for count := 1; count <= max(1, (length+minFragment-1)/minFragment); count++ {
		if size = (length + count - 1) / count; size <= most {
			break
		}
	}
	return size
}

// Parts is how many parts are enough where none is missed.
func (e *Encoder) Parts() int { return max(1, len(e.fragments)) }

type partWire struct {
	_        struct{} `cbor:",toarray"`
	Seq      uint32
	Len      uint32
	Message  uint32
	Checksum uint32
	Data     []byte
}

// Next returns the next part, in capitals, which a QR symbol holds in less.
func (e *Encoder) Next() string {
	if e.fragments == nil {
		return strings.ToUpper(Prefix + e.kind + "/" + encodeWords(e.message))
	}
	if e.seq++; e.seq == 0 {
		e.seq = 1
	}
	data := make([]byte, len(e.fragments[0]))
	for _, i := range e.mix.of(e.seq) {
		subtle.XORBytes(data, data, e.fragments[i])
	}
	body, err := cbor.Marshal(partWire{Seq: e.seq, Len: uint32(len(e.fragments)), Message: uint32(len(e.message)),
		Checksum: e.checksum, Data: data})
	if err != nil {
		panic("ur: encode a part: " + err.Error()) // integers and a byte string always encode
	}
	return strings.ToUpper(fmt.Sprintf("%s%s/%d-%d/%s", Prefix, e.kind, e.seq, len(e.fragments), encodeWords(body)))
}

// Part is a part that was read: its checksum fits, and what it says of itself
// is within bounds.
type Part struct {
	Type     string
	Seq      uint32 // 0: the whole message
	Len      int    // fragments
	Message  int    // bytes
	Checksum uint32
	Data     []byte
}

// Reader reads parts. It is used by one goroutine.
type Reader struct {
	words *decoder
	inner cbor.DecMode
}

// NewReader makes the table of words.
func NewReader() *Reader {
	inner, err := cbor.DecOptions{IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
		MaxNestedLevels: maxInner}.DecMode()
	if err != nil {
		panic("ur: options of CBOR: " + err.Error()) // they are constants
	}
	return &Reader{words: newDecoder(), inner: inner}
}

// Parse reads a part.
func (r *Reader) Parse(text string) (Part, error) {
	if len(text) > maxText {
		return Part{}, fmt.Errorf("%w: %d characters", ErrPart, len(text))
	}
	fields := strings.Split(strings.ToLower(text), "/")
	if len(fields) < 2 || len(fields) > 3 || !strings.HasPrefix(fields[0], Prefix) {
		return Part{}, ErrPart
	}
	p := Part{Type: fields[0][len(Prefix):]}
	if !isType(p.Type) {
		return Part{}, fmt.Errorf("%w: its type is %.40q", ErrPart, p.Type)
	}
	body, err := r.words.decode(fields[len(fields)-1])
	if err != nil {
		return Part{}, fmt.Errorf("%w: %w", ErrPart, err)
	}
	if len(fields) == 2 {
		p.Len, p.Message, p.Checksum, p.Data = 1, len(body), crc32.ChecksumIEEE(body), body
		return p, nil
	}
	return p, p.read(r.inner, body, fields[1])
}

// read fills in what the body of a part says, which must be what its text says.
func (p *Part) read(mode cbor.DecMode, body []byte, numbers string) error {
	var w partWire
	if err := mode.Unmarshal(body, &w); err != nil {
		return fmt.Errorf("%w: %v", ErrPart, err)
	}
	p.Seq, p.Len, p.Message, p.Checksum, p.Data = w.Seq, int(w.Len), int(w.Message), w.Checksum, w.Data
	switch {
	case numbers != strconv.FormatUint(uint64(w.Seq), 10)+"-"+strconv.FormatUint(uint64(w.Len), 10):
		return fmt.Errorf("%w: it says that it is %.30q, and inside that it is %d-%d", ErrPart, numbers, w.Seq, w.Len)
	case w.Seq == 0 || w.Len == 0 || w.Len > MaxFragments || w.Message == 0 || w.Message > MaxMessage || len(p.Data) == 0:
		return fmt.Errorf("%w: its numbers are out of bounds", ErrPart)
	case (p.Message+len(p.Data)-1)/len(p.Data) != p.Len:
		return fmt.Errorf("%w: %d fragments of %d bytes are no message of %d", ErrPart, p.Len, len(p.Data), p.Message)
	}
	return nil
}

// isType reports whether s is letters, digits and dashes.
func isType(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 40
}

// Key tells streams apart.
func (p Part) Key() string {
	return fmt.Sprintf("%s/%08x/%d/%d", p.Type, p.Checksum, p.Message, len(p.Data))
}

// Decoder puts one message together.
type Decoder struct {
	kind     string
	checksum uint32
	message  int
	mix      *mixer
	solver   *gf2.Solver
}

// NewDecoder is for the message that p is of.
func NewDecoder(p Part) *Decoder {
	return &Decoder{kind: p.Type, checksum: p.Checksum, message: p.Message, mix: newMixer(p.Len, p.Checksum),
		solver: gf2.New(p.Len, len(p.Data))}
}

// Add takes a part of the message.
func (d *Decoder) Add(p Part) {
	of := make([]uint64, d.solver.Words())
	if p.Seq == 0 {
		p.Seq = 1
	}
	for _, i := range d.mix.of(p.Seq) {
		of[i>>6] |= 1 << (i & 63)
	}
	d.solver.Add(of, bytes.Clone(p.Data))
}

// Progress is the rank of what was read, and the rank that is enough.
func (d *Decoder) Progress() (have, need int) { return d.solver.Rank(), d.mix.fragments }

// Bytes is about what the decoder takes up.
func (d *Decoder) Bytes() int { return d.solver.Bytes() + 18*d.mix.fragments }

// Result returns what the message holds, once there are enough parts: the byte
// string of the types that are known here, and the CBOR itself of the others,
// which the caller refuses by name. ErrChecksum says that a part was forged: what was read is worthless.
func (d *Decoder) Result() (payload []byte, done bool, err error) {
	if !d.solver.Done() {
		return nil, false, nil
	}
	message := d.solver.Join()[:d.message]
	if crc32.ChecksumIEEE(message) != d.checksum {
		return nil, true, ErrChecksum
	}
	switch d.kind {
	case PSBT, CryptoPSBT:
		payload, err = byteString(untagged(message))
		return payload, true, err
	case Bytes:
		payload, err = byteString(message)
		return payload, true, err
	}
	return message, true, nil
}

// untagged cuts off the tag of a PSBT, which belongs inside other CBOR only and
// which some wallets write anyway: 310, now 40310 (BCR-2020-006).
func untagged(message []byte) []byte {
	for _, tag := range [][]byte{{0xd9, 0x01, 0x36}, {0xd9, 0x9d, 0x76}} {
		if rest, found := bytes.CutPrefix(message, tag); found && len(rest) > 0 {
			return rest
		}
	}
	return message
}

// byteString returns the content of a CBOR byte string of definite length
// (RFC 8949, section 3), without a copy.
func byteString(message []byte) ([]byte, error) {
	head, length := 1, uint64(message[0]&31)
	if message[0]>>5 == 2 && length >= 24 && length <= 27 {
		width := 1 << (length - 24)
		if head, length = 1+width, 0; len(message) >= head {
			for _, c := range message[1:head] {
				length = length<<8 | uint64(c)
			}
		}
	}
	if message[0]>>5 != 2 || len(message) < head || uint64(len(message)-head) != length {
		return nil, fmt.Errorf("%w: its message is no byte string", ErrPart)
	}
	return message[head:], nil
}
