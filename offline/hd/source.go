package hd

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"
)

// ErrEntropy says that the source of randomness is not random: no key is made
// from it.
var ErrEntropy = errors.New("the source of randomness is broken")

const (
	// repeats is the cutoff of the repetition count test of NIST SP 800-90B,
	// 4.4.1, for bytes of 8 bits of entropy and a false alarm once in 2^64
	// positions: 1 + 64/8.
	repeats = 9
	// blockSize is the length of the blocks that are looked at as a whole.
	blockSize = 16
)

// Source passes randomness on and fails closed, for good, when it is visibly
// not random: a byte repeated nine times, a block that equals the one before,
// or a block of few distinct bytes. A good source fails these once in more
// than 2^60 reads; a subtly bad one passes them: this finds a source that is
// stuck or empty, as in a virtual machine or container set up wrongly.
type Source struct {
	mu   sync.Mutex
	from io.Reader
	last byte
	run  int
	prev [sha256.Size]byte // hash of the block before: what was read may be a key
	err  error
}

// NewSource watches a source of randomness, such as crypto/rand.Reader. It is
// safe for concurrent use.
func NewSource(from io.Reader) *Source { return &Source{from: from} }

// Read implements io.Reader: it fills all of b or fails.
func (s *Source) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0, s.err
	}
	_, err := io.ReadFull(s.from, b)
	if err != nil {
		err = fmt.Errorf("read randomness: %w", err)
	} else {
		err = s.check(b)
	}
	if err != nil {
		clear(b)
		s.err = err
		return 0, err
	}
	return len(b), nil
}

func (s *Source) check(b []byte) error {
	for _, c := range b {
		if c != s.last {
			s.last, s.run = c, 0
		}
		if s.run++; s.run >= repeats {
			return fmt.Errorf("%w: it repeats one byte", ErrEntropy)
		}
	}
	for ; len(b) >= blockSize; b = b[blockSize:] {
		if err := s.checkBlock(b[:blockSize]); err != nil {
			return err
		}
	}
	return nil
}

// checkBlock compares a block with the one before, of this read or the last.
func (s *Source) checkBlock(block []byte) error {
	sum := sha256.Sum256(block)
	if sum == s.prev {
		return fmt.Errorf("%w: it repeats itself", ErrEntropy)
	}
	s.prev = sum
	if distinct(block) < blockSize/4 {
		return fmt.Errorf("%w: few of its bytes differ", ErrEntropy)
	}
	return nil
}

// distinct counts the different bytes. Fewer than 4 in 16 happens to a good
// source with probability below 2^-81: 256 over 3, times (3/256)^16.
func distinct(b []byte) int {
	var have [256]bool
	n := 0
	for _, c := range b {
		if !have[c] {
			have[c] = true
			n++
		}
	}
	return n
}
