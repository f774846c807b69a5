package policy

import (
	"math/bits"
	"strings"

	"coldkms/shared/chain"
)

// likes finds known addresses that begin and end like one of the batch: with so
// many characters at both ends together, after what all addresses of a coin begin
// with. Whatever a batch is made of, an address takes the same few steps.
type likes struct {
	prefix  string // what bech32 addresses of the coin begin with
	letters int
	ends    map[string]*[2]string // both ends of an address of the batch → the first two that have them, in the alphabet
	filter  []uint64              // a power of two of words: bits of their hashes, so that most addresses need no map
	known   int64                 // addresses that were compared
}

// like is a known address that is like another.
type like struct {
	other   string
	letters int
}

// newLikes has room for the addresses of so many items.
func newLikes(letters, items int) likes {
	words := 1 << min(bits.Len(uint(items)), 16)
	return likes{letters: letters, ends: map[string]*[2]string{}, filter: make([]uint64, words)}
}

// body is an address without what every address of its kind has in common:
// cashaddr's prefix and type, bech32's prefix and version, the first character of
// base58.
func (l *likes) body(to string) (string, bool) {
	if _, after, ok := strings.Cut(to, ":"); ok {
		to = after
	} else if l.prefix != "" {
		to = strings.TrimPrefix(to, l.prefix)
	}
	if len(to) < 1+l.letters+2 {
		return "", false
	}
	return to[1:], true
}

// split goes through the ways to take so many characters of both ends. The slice
// is valid during the call only.
func (l *likes) split(body string, each func(ends []byte, word *uint64, bit uint64)) {
	var room [40]byte
	for head := 0; head <= l.letters; head++ {
		ends := append(append(append(room[:0], byte(head)), body[:head]...), body[len(body)-l.letters+head:]...)
		hash := uint64(14695981039346656037) // FNV-1a
		for _, c := range ends {
			hash = (hash ^ uint64(c)) * 1099511628211
		}
		hash ^= hash >> 29
		each(ends, &l.filter[hash>>6&uint64(len(l.filter)-1)], 1<<(hash&63))
	}
}

// watch takes in an address of the batch.
func (l *likes) watch(to string) {
	body, ok := l.body(to)
	if !ok {
		return
	}
	l.split(body, func(ends []byte, word *uint64, bit uint64) {
		*word |= bit
		if l.ends[string(ends)] == nil {
			l.ends[string(ends)] = new([2]string)
		}
	})
}

// seen compares a known address with those of the batch.
func (l *likes) seen(other string) {
	body, ok := l.body(other)
	if !ok {
		return
	}
	l.known++
	l.split(body, func(ends []byte, word *uint64, bit uint64) {
		if *word&bit == 0 {
			return
		}
		first := l.ends[string(ends)]
		switch {
		case first == nil || first[0] == other || first[1] == other:
		case first[0] == "" || other < first[0]:
			first[0], first[1] = other, first[0]
		case first[1] == "" || other < first[1]:
			first[1] = other
		}
	})
}

// best returns the known address that is most like one of the batch, of equals the
// first in the alphabet.
func (l *likes) best(to string) (best like, ok bool) {
	body, ok := l.body(to)
	if !ok {
		return like{}, false
	}
	l.split(body, func(ends []byte, _ *uint64, _ uint64) {
		first := l.ends[string(ends)]
		if first == nil {
			return
		}
		for _, other := range first {
			if otherBody, ok := l.body(other); ok && other != to {
				if n := alike(body, otherBody); n > best.letters || n == best.letters && other < best.other {
					best = like{other, n}
				}
			}
		}
	})
	return best, best.other != ""
}

// alike counts the characters that two texts begin and end with together.
func alike(a, b string) int {
	most := min(len(a), len(b))
	head := 0
	for head < most && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < most-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return head + tail
}

// severity tells what chance explains: among many addresses some begin and end
// alike, and nothing is to be looked at where that is to be expected.
func (l *likes) severity(of like, watched int) chain.Severity {
	const alphabet = 32 // of bech32; that of base58 is larger
	chance, pairs := chain.NewAmount(1), chain.NewAmount(uint64(watched))
	for range min(of.letters, 40) {
		chance, _ = chance.Times(alphabet)
	}
	pairs, _ = pairs.Times(uint64(l.known))
	pairs, _ = pairs.Times(uint64(4 * (of.letters + 1)))
	if pairs.Cmp(chance) > 0 {
		return chain.Note
	}
	return chain.Look
}
