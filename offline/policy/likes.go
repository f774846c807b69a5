package policy

import (
	"hash/maphash"
	"math/bits"
	"strings"

	"coldkms/shared/chain"
)

// likes finds known addresses that begin and end like one of the batch: with so
// many characters at both ends together, after what all addresses of a coin begin
// with. Whatever a batch is made of, an address takes the same few steps.
//
// Ends are kept only where some other address has them too, or may have: the
// addresses of a large batch, each split in all ways, would take more room than the
// batch itself. What best returns does not depend on what is kept in vain.
type likes struct {
	prefix  string // what bech32 addresses of the coin begin with
	letters int
	seed    maphash.Seed        // nobody can choose addresses whose ends have one hash
	once    filter              // ends of the batch
	shared  filter              // ends that two addresses of the batch have
	ends    map[uint64]sameEnds // by the hash of both ends of an address
	names   []string            // of addresses in ends
	known   int64               // addresses that were compared
}

// sameEnds are the first addresses in the alphabet that have the same ends, as
// places in names, from 1: of each of them and of any other address two are known
// that are another one.
type sameEnds [3]uint32

// filter is a set of hashes that may have more than was put in. It has a power of
// two of words.
type filter []uint64

func (f filter) at(hash uint64) (word *uint64, bit uint64) {
	return &f[hash>>6&uint64(len(f)-1)], 1 << (hash & 63)
}

func (f filter) put(hash uint64) {
	word, bit := f.at(hash)
	*word |= bit
}

func (f filter) may(hash uint64) bool {
	word, bit := f.at(hash)
	return *word&bit != 0
}

// like is a known address that is like another.
type like struct {
	other   string
	letters int
}

// newLikes has room for so many addresses of a batch.
func newLikes(letters, addresses int) likes {
	words := 1 << min(bits.Len(uint(addresses)), 18)
	return likes{letters: letters, seed: maphash.MakeSeed(), ends: map[uint64]sameEnds{},
		once: make(filter, words), shared: make(filter, words)}
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

// split goes through the ways to take so many characters of both ends.
func (l *likes) split(body string, each func(ends uint64)) {
	var room [40]byte
	for head := 0; head <= l.letters; head++ {
		ends := append(append(append(room[:0], byte(head)), body[:head]...), body[len(body)-l.letters+head:]...)
		each(maphash.Bytes(l.seed, ends))
	}
}

// watch takes in an address of the batch, each once and all before any is seen.
func (l *likes) watch(to string) {
	body, ok := l.body(to)
	if !ok {
		return
	}
	l.split(body, func(ends uint64) {
		if l.once.may(ends) {
			l.shared.put(ends)
		}
		l.once.put(ends)
	})
}

// seen compares a known address with those of the batch.
func (l *likes) seen(other string) { l.compare(other, l.once) }

// seenInBatch is seen of an address of the batch.
func (l *likes) seenInBatch(other string) { l.compare(other, l.shared) }

func (l *likes) compare(other string, with filter) {
	body, ok := l.body(other)
	if !ok {
		return
	}
	l.known++
	name := uint32(0)
	l.split(body, func(ends uint64) {
		if !with.may(ends) {
			return
		}
		same := l.ends[ends]
		at, have := l.place(same, other)
		if have || at == len(same) {
			return
		}
		if name == 0 {
			l.names = append(l.names, other)
			name = uint32(len(l.names))
		}
		copy(same[at+1:], same[at:])
		same[at] = name
		l.ends[ends] = same
	})
}

// place returns where in the alphabet an address stands among those with the same
// ends, and whether it is there.
func (l *likes) place(same sameEnds, other string) (at int, have bool) {
	for at < len(same) && same[at] != 0 && l.names[same[at]-1] < other {
		at++
	}
	return at, at < len(same) && same[at] != 0 && l.names[same[at]-1] == other
}

// best returns the known address that is most like one of the batch, of equals the
// first in the alphabet, among the first two others that have the same ends.
func (l *likes) best(to string) (best like, ok bool) {
	body, ok := l.body(to)
	if !ok {
		return like{}, false
	}
	l.split(body, func(ends uint64) {
		others := 0
		for _, name := range l.ends[ends] {
			if name == 0 || others == 2 {
				return
			}
			other := l.names[name-1]
			if other == to {
				continue
			}
			others++
			otherBody, _ := l.body(other)
			if n := alike(body, otherBody); n >= l.letters && (n > best.letters || n == best.letters && other < best.other) {
				best = like{other, n}
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
