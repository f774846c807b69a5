// Package strength estimates how many guesses a password withstands from
// somebody who knows how people choose them: words, names of things on a keyboard,
// dates, repetitions, with capitals and digits in their places.
//
// It follows the method of zxcvbn (Wheeler, USENIX Security 2016) with the lists
// that the signer has anyway: the cheapest way to write the password as a series
// of patterns. It is a lower bound for what is random, and too generous to a
// phrase from a book, which no list here has.
package strength

import (
	"bytes"
	_ "embed"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tyler-smith/go-bip39/wordlists"
)

// Floor is the least strength in bits that a password of a wallet with keys of
// mainnet has. One guess is a run of Argon2id over 256 MiB, half a second of four
// cores: 2^40 of them are some 70,000 years of such a machine.
const Floor = 40

// Costs of patterns in bits. Of a character that fits no pattern zxcvbn has 10
// guesses: what people choose is not spread over the keyboard.
const (
	charBits     = 3.34
	wordBits     = 11.0 // one of the 2,048 words of BIP 39
	yearBits     = 7.0  // of the last and this century
	dateBits     = 15.0
	sequenceBits = 4.0 // where it begins, and in which direction
	caseBits     = 1.0 // of a capital in front, or all in capitals
	leetBits     = 1.0 // of digits for letters
)

// longest is how many characters are looked at; more only make it stronger.
const longest = 80

// longestSequence is the length of the longest of sequences.
const longestSequence = 26

// common has passwords that people choose, the most frequent first, one a line.
//
//go:embed common.txt
var common string

// sequences are what fingers and heads run along.
const sequences = "abcdefghijklmnopqrstuvwxyz 01234567890 qwertyuiop asdfghjkl zxcvbnm qwertzuiop yxcvbnm " +
	"azertyuiop qsdfghjklm wxcvbn 1qaz2wsx3edc4rfv5tgb " +
	"1234567890-= !@#$%^&*()_+ qwertyuiop[]\\ qwertyuiop{}| asdfghjkl;' asdfghjkl:\" zxcvbnm,./ zxcvbnm<>?"

// Bits returns the binary logarithm of the guesses that a password withstands. It
// leaves no copy of the password behind.
func Bits(password []byte) int {
	e := newEstimate(password)
	defer e.wipe()
	least := make([]float64, len(e.text)+1) // of the first so many characters
	for end := 1; end <= len(e.text); end++ {
		least[end] = least[end-1] + charBits
		for begin := range end {
			if bits := e.patternBits(begin, end); least[begin]+bits < least[end] {
				least[end] = least[begin] + bits
			}
		}
	}
	return int(least[len(e.text)])
}

// estimate is a password with a byte for each character, in three writings.
type estimate struct {
	text, lower, plain []byte // plain has letters for the digits that stand for them
	ranks              map[string]int
}

func newEstimate(password []byte) estimate {
	e := estimate{text: make([]byte, 0, longest), ranks: make(map[string]int)}
	for i, word := range strings.Fields(common) {
		e.ranks[word] = i + 2
	}
	for rest := password; len(rest) > 0 && len(e.text) < longest; {
		r, size := utf8.DecodeRune(rest)
		rest = rest[size:]
		if r >= 0x80 {
			r = 0x80 | r&0x7f // no list has it
		}
		e.text = append(e.text, byte(r))
	}
	e.lower, e.plain = make([]byte, 0, longest), make([]byte, 0, longest)
	for _, c := range e.text {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		e.lower = append(e.lower, c)
		if at := strings.IndexByte("013457@$!", c); at >= 0 {
			c = "oieastasi"[at]
		}
		e.plain = append(e.plain, c)
	}
	return e
}

func (e estimate) wipe() {
	clear(e.text)
	clear(e.lower)
	clear(e.plain)
}

// patternBits returns the cost of the cheapest pattern that a part is, of any.
func (e estimate) patternBits(begin, end int) float64 {
	least := math.Inf(1)
	for _, pattern := range [...]func(begin, end int) (float64, bool){e.word, e.repeat, e.sequence, e.date} {
		if bits, is := pattern(begin, end); is {
			least = min(least, bits)
		}
	}
	return least
}

// word is a common password or a word of BIP 39, with capitals and digits as
// people put them.
func (e estimate) word(begin, end int) (bits float64, is bool) {
	if end-begin < 3 {
		return 0, false
	}
	extra := 0.0
	switch text, lower := e.text[begin:end], e.lower[begin:end]; {
	case bytes.Equal(text, lower):
	case bytes.Equal(text[1:], lower[1:]), !bytes.ContainsFunc(text, unicode.IsLower):
		extra = caseBits
	default:
		extra = caseBits * float64(1+len(text)/2)
	}
	if bits, is := e.listed(e.lower[begin:end]); is {
		return bits + extra, true
	}
	bits, is = e.listed(e.plain[begin:end])
	return bits + extra + leetBits, is
}

// listed returns the cost of a word that a list has.
func (e estimate) listed(word []byte) (bits float64, is bool) {
	if rank, is := e.ranks[string(word)]; is { // which makes no string
		return math.Log2(float64(rank)), true
	}
	_, is = slices.BinarySearchFunc(wordlists.English, word, func(have string, want []byte) int {
		return -bytes.Compare(want, []byte(have))
	})
	return wordBits, is
}

// repeat is a shorter text more than once.
func (e estimate) repeat(begin, end int) (bits float64, is bool) {
	text := e.text[begin:end]
	for size := 1; size <= len(text)/2; size++ {
		if len(text)%size != 0 || !bytes.Equal(text[size:], text[:len(text)-size]) {
			continue
		}
		once := float64(size) * charBits
		if size > 2 {
			once = min(once, e.patternBits(begin, begin+size))
		}
		return once + math.Log2(float64(len(text)/size)), true
	}
	return 0, false
}

// sequence is a part of an alphabet, a row of keys or the digits, either way.
func (e estimate) sequence(begin, end int) (bits float64, is bool) {
	text := e.lower[begin:end]
	if len(text) < 3 || bytes.ContainsRune(text, ' ') || len(text) > longestSequence {
		return 0, false
	}
	var back [longestSequence]byte
	defer clear(back[:])
	for i, c := range text {
		back[len(text)-1-i] = c
	}
	is = bytes.Contains([]byte(sequences), text) || bytes.Contains([]byte(sequences), back[:len(text)])
	return sequenceBits + math.Log2(float64(len(text))), is
}

// date is a year, or a day as six or eight digits, together or with marks in between.
func (e estimate) date(begin, end int) (bits float64, is bool) {
	text := e.text[begin:end]
	if len(text) == 8 || len(text) == 10 {
		for _, at := range [...][2]int{{2, 5}, {4, 7}} { // 27.11.2026, 2026-11-27
			a, b := text[at[0]], text[at[1]]
			if a != b || !strings.ContainsRune("./-", rune(a)) {
				continue
			}
			apart := [...][]byte{text[:at[0]], text[at[0]+1 : at[1]], text[at[1]+1:]}
			return dateBits, !slices.ContainsFunc(apart[:], notDigits)
		}
	}
	if notDigits(text) {
		return 0, false
	}
	switch len(text) {
	case 4:
		return yearBits, bytes.HasPrefix(text, []byte("19")) || bytes.HasPrefix(text, []byte("20"))
	case 6, 8:
		return dateBits, true
	}
	return 0, false
}

func notDigits(text []byte) bool {
	return bytes.ContainsFunc(text, func(r rune) bool { return !unicode.IsDigit(r) })
}
