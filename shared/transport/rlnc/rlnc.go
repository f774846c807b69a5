// Package rlnc is the lane on which the two programs send bundles to each
// other: each part is a linear combination of the payload's blocks over GF(2).
// The first k parts are the blocks themselves; every later one is a random half
// of them, so that any k parts are enough, whichever were missed and whenever
// the reader joined. docs/FORMAT.md has it byte for byte.
//
// Beside the k blocks there are five more that are made of all of them over
// GF(2^8). The random sums are over these too; they are what makes any k parts
// enough, nearly always: over GF(2) alone it would be 1.6 more on average, and
// seven in one of a hundred cases.
//
// A part is "KMS1:" and, in base45 (RFC 9285):
//
//	stream  8 bytes: start of SHA-256 of the payload
//	length  3 bytes: of the payload
//	number  3 bytes: of the part
//	data    the same length in all parts of a stream: size
//	check   4 bytes: start of SHA-256 of all before
//
// and k is length / size, rounded up.
package rlnc

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"coldkms/shared/transport/gf2"
)

// Prefix begins every part.
const Prefix = "KMS1:"

// Bounds.
const (
	MaxPayload = 8 << 20 // bytes: seven thousand of the largest symbols, and no part stalls
	MaxBlocks  = 8192
	maxData    = 4096 // bytes of a part; a symbol of version 40 has 2,860 with its header
	lastNumber = 1<<24 - 1
	parities   = 5 // blocks beside those of the payload, if it has more than one
	header     = 8 + 3 + 3
	overhead   = header + 4
)

// Errors.
var (
	ErrPayload      = errors.New("payload does not fit the fast lane")
	ErrPart         = errors.New("not a part of the fast lane")
	ErrCheck        = errors.New("part was misread: its check does not fit")
	ErrPayloadCheck = errors.New("parts do not give the payload that they are named after")
)

// Encoder makes the parts of one payload, for ever.
type Encoder struct {
	blocks [][]byte // of the payload
	more   [][]byte // parities; made when the first part needs them
	length int
	stream [8]byte
	next   int
}

// NewEncoder splits a payload so that no part has more than chars characters.
// All parts are of one length, as short as their number allows.
func NewEncoder(payload []byte, chars int) (*Encoder, error) {
	room := (chars - len(Prefix)) / 3 * 2
	if (chars-len(Prefix))%3 == 2 {
		room++
	}
	room = min(room-overhead, maxData)
	switch {
	case len(payload) == 0 || len(payload) > MaxPayload:
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrPayload, len(payload), MaxPayload)
	case room < 1 || (len(payload)+room-1)/room > MaxBlocks:
		return nil, fmt.Errorf("%w: %d bytes in parts of %d characters are more than %d parts", ErrPayload, len(payload),
			chars, MaxBlocks)
	}
	k := (len(payload) + room - 1) / room
	size := (len(payload) + k - 1) / k
	k = (len(payload) + size - 1) / size
	e := &Encoder{length: len(payload), blocks: make([][]byte, k)}
	sum := sha256.Sum256(payload)
	copy(e.stream[:], sum[:])
	padded := make([]byte, k*size)
	copy(padded, payload)
	for i := range e.blocks {
		e.blocks[i] = padded[i*size : (i+1)*size]
	}
	return e, nil
}

// Parts is how many parts are enough where none is missed.
func (e *Encoder) Parts() int { return len(e.blocks) }

// Next returns the next part. Of a payload in one block it is always the same:
// the symbol need not change.
func (e *Encoder) Next() string {
	part := e.Part(e.next)
	if len(e.blocks) == 1 {
		return part
	}
	if e.next++; e.next > lastNumber {
		e.next = len(e.blocks)
	}
	return part
}

// Part returns part n.
func (e *Encoder) Part(n int) string {
	b := make([]byte, header, len(e.blocks[0])+overhead)
	copy(b, e.stream[:])
	put24(b[8:], e.length)
	put24(b[11:], n)
	data := make([]byte, len(e.blocks[0]))
	if n >= len(e.blocks) && e.more == nil {
		e.more = parityBlocks(e.blocks)
	}
	for w, word := range combination(e.stream, n, len(e.blocks)) {
		for ; word != 0; word &= word - 1 {
			i := w<<6 | bits.TrailingZeros64(word)
			if i < len(e.blocks) {
				subtle.XORBytes(data, data, e.blocks[i])
			} else {
				subtle.XORBytes(data, data, e.more[i-len(e.blocks)])
			}
		}
	}
	b = append(b, data...)
	sum := sha256.Sum256(b)
	return Prefix + encode45(append(b, sum[:4]...))
}

// total is the number of blocks, parities included.
func total(k int) int {
	if k == 1 {
		return 1
	}
	return k + parities
}

// factors returns the factor of each block in parity j: bytes of
// SHA-256("coldkms parity v1" ‖ j ‖ 0), SHA-256(… ‖ 1) and so on, j in one byte
// and the counter in three.
func factors(j, k int) []byte {
	seed := append([]byte("coldkms parity v1"), byte(j), 0, 0, 0)
	list := make([]byte, 0, k+sha256.Size)
	for i := 0; len(list) < k; i++ {
		put24(seed[len(seed)-3:], i)
		sum := sha256.Sum256(seed)
		list = append(list, sum[:]...)
	}
	return list[:k]
}

func parityBlocks(blocks [][]byte) [][]byte {
	field := gf2.NewField()
	more := make([][]byte, total(len(blocks))-len(blocks))
	for j := range more {
		more[j] = make([]byte, len(blocks[0]))
		for i, g := range factors(j, len(blocks)) {
			field.AddTimes(more[j], blocks[i], g)
		}
	}
	return more
}

// combination says of which blocks part n is the sum: bit i of word i/64. The
// parities follow the k blocks of the payload. For a part from k on the bits
// are those of SHA-256("coldkms part v1" ‖ stream ‖ n ‖ 0), SHA-256(… ‖ 1) and
// so on, n and the counter in three bytes, the lowest bit of each byte first.
// None at all would be no part: then it is block n modulo k.
func combination(stream [8]byte, n, k int) []uint64 {
	all := total(k)
	of := make([]uint64, (all+63)/64)
	if n < k {
		of[n>>6] = 1 << (n & 63)
		return of
	}
	seed := append([]byte("coldkms part v1"), stream[:]...)
	seed = append(seed, byte(n>>16), byte(n>>8), byte(n), 0, 0, 0)
	none := true
	for i := 0; i < len(of); i += 4 {
		put24(seed[len(seed)-3:], i/4)
		sum := sha256.Sum256(seed)
		for j := i; j < min(i+4, len(of)); j++ {
			of[j] = binary.LittleEndian.Uint64(sum[8*(j-i):])
			if rest := all - 64*j; rest < 64 {
				of[j] &= 1<<rest - 1
			}
			none = none && of[j] == 0
		}
	}
	if none {
		of[n%k>>6] = 1 << (n % k & 63)
	}
	return of
}

func put24(b []byte, n int) { b[0], b[1], b[2] = byte(n>>16), byte(n>>8), byte(n) }

func get24(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }

// Part is a part that was read: its check fits, and what it says of itself is
// within bounds.
type Part struct {
	Stream [8]byte
	Length int // of the payload
	Number int
	Data   []byte
}

// Parse reads a part.
func Parse(text string) (Part, error) {
	if len(text) < len(Prefix) || text[:len(Prefix)] != Prefix || len(text) > 2*(maxData+overhead) {
		return Part{}, ErrPart
	}
	b, err := decode45(text[len(Prefix):])
	if err != nil || len(b) <= overhead {
		return Part{}, ErrPart
	}
	body, check := b[:len(b)-4], b[len(b)-4:]
	if sum := sha256.Sum256(body); string(sum[:4]) != string(check) {
		return Part{}, ErrCheck
	}
	p := Part{Stream: [8]byte(body), Length: get24(body[8:]), Number: get24(body[11:]), Data: body[header:]}
	if p.Length == 0 || len(p.Data) > maxData || p.Blocks() > MaxBlocks {
		return Part{}, fmt.Errorf("%w: its length is out of bounds", ErrPart)
	}
	return p, nil
}

// Blocks is how many blocks the payload has.
func (p Part) Blocks() int { return (p.Length + len(p.Data) - 1) / len(p.Data) }

// Key tells streams apart. Parts of one payload in another size are another
// stream.
func (p Part) Key() string { return fmt.Sprintf("%x/%d/%d", p.Stream, p.Length, len(p.Data)) }

// Decoder puts one stream together.
type Decoder struct {
	stream [8]byte
	length int
	solver *gf2.Solver
	k      int
	tried  int // rank at which the parities were not enough
}

// NewDecoder is for the stream that p is of.
func NewDecoder(p Part) *Decoder {
	return &Decoder{stream: p.Stream, length: p.Length, k: p.Blocks(), solver: gf2.New(total(p.Blocks()), len(p.Data))}
}

// Add takes a part of the stream.
func (d *Decoder) Add(p Part) { d.solver.Add(combination(d.stream, p.Number, d.k), p.Data) }

// Progress is the rank of what was read, and the rank that is enough, but for
// one case in some two hundred, which takes one part more.
func (d *Decoder) Progress() (have, need int) { return min(d.solver.Rank(), d.k), d.k }

// Bytes is about what the decoder takes up.
func (d *Decoder) Bytes() int { return d.solver.Bytes() }

// Result returns the payload once there are enough parts. ErrPayloadCheck says
// that a part was forged: what was read is worthless.
func (d *Decoder) Result() (payload []byte, done bool, err error) {
	if !d.close() {
		return nil, false, nil
	}
	payload = d.solver.Join()[:d.length]
	if sum := sha256.Sum256(payload); [8]byte(sum[:8]) != d.stream {
		return nil, true, ErrPayloadCheck
	}
	return payload, true, nil
}

// close uses the parities as soon as they can be enough.
func (d *Decoder) close() bool {
	rank := d.solver.Rank()
	if d.solver.Done() {
		return true
	}
	if rank < d.k || rank == d.tried {
		return false
	}
	d.tried = rank
	n := total(d.k) - d.k
	list := make([][]byte, n)
	for j := range list {
		list[j] = factors(j, d.k)
	}
	return d.solver.Close(gf2.NewField(), n, func(j, i int) byte {
		switch {
		case i < d.k:
			return list[j][i]
		case i == d.k+j:
			return 1
		}
		return 0
	})
}
