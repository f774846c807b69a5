package hd

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/tyler-smith/go-bip39/wordlists"
	"golang.org/x/text/unicode/norm"
)

// ErrMnemonic is what is wrong with words that do not follow BIP 39. Tatum KMS
// derives keys from anything that is typed, so an import may go on after it,
// with a warning; ErrChecksum and the others say what is wrong.
var (
	ErrMnemonic  = errors.New("not a BIP 39 mnemonic")
	ErrWordCount = fmt.Errorf("%w: 12, 15, 18, 21 or 24 words are needed", ErrMnemonic)
	ErrWord      = fmt.Errorf("%w: a word is not in the English list", ErrMnemonic)
	ErrChecksum  = fmt.Errorf("%w: the checksum is wrong, so a word is wrong or in the wrong place", ErrMnemonic)
)

// Words is the number of words that are made unless asked otherwise, as in KMS.
const Words = 24

const (
	bitsPerWord = 11
	wordMask    = 1<<bitsPerWord - 1
)

// entropySize is the number of bytes that so many words stand for; each
// 32 bits come with one bit of checksum (BIP 39).
func entropySize(words int) (int, error) {
	if words < 12 || words > 24 || words%3 != 0 {
		return 0, ErrWordCount
	}
	return words / 3 * 4, nil
}

// NewMnemonic makes so many words from a watched source of randomness.
func NewMnemonic(entropy *Source, words int) ([]byte, error) {
	size, err := entropySize(words)
	if err != nil {
		return nil, fmt.Errorf("new mnemonic: %w", err)
	}
	raw := make([]byte, size)
	defer clear(raw)
	if _, err := io.ReadFull(entropy, raw); err != nil {
		return nil, fmt.Errorf("new mnemonic: %w", err)
	}
	return MnemonicOf(raw)
}

// MnemonicOf returns the words of 16, 20, 24, 28 or 32 bytes: of dice, say.
func MnemonicOf(entropy []byte) ([]byte, error) {
	if size := len(entropy); size < 16 || size > 32 || size%4 != 0 {
		return nil, fmt.Errorf("mnemonic of %d bytes: 16, 20, 24, 28 or 32 are needed", size)
	}
	sum := sha256.Sum256(entropy)
	bits := append(bytes.Clone(entropy), sum[0])
	defer clear(bits)
	out := make([]byte, 0, Words*9) // no English word is longer than 8 letters
	for n := range len(entropy) / 4 * 3 {
		if n > 0 {
			out = append(out, ' ')
		}
		out = append(out, wordlists.English[bitsAt(bits, n)]...)
	}
	return out, nil
}

// bitsAt returns the n-th group of eleven bits.
func bitsAt(b []byte, n int) int {
	var v int
	for i := n * bitsPerWord; i < (n+1)*bitsPerWord; i++ {
		v = v<<1 | int(b[i/8]>>(7-i%8)&1)
	}
	return v & wordMask
}

// CheckMnemonic checks words and checksum. Words may be apart by any white
// space; Tidy brings what a person typed into that form.
func CheckMnemonic(mnemonic []byte) error {
	tidy := norm.NFKD.Bytes(bytes.Clone(mnemonic))
	defer clear(tidy)
	words := bytes.Fields(tidy)
	size, err := entropySize(len(words))
	if err != nil {
		return err
	}
	bits := make([]byte, size+1)
	defer clear(bits)
	for n, w := range words {
		index, ok := indexOf(w)
		if !ok {
			return fmt.Errorf("%w (word %d)", ErrWord, n+1)
		}
		putBits(bits, n, index)
	}
	sum := sha256.Sum256(bits[:size])
	if wrong := (bits[size] ^ sum[0]) >> (8 - size/4); wrong != 0 {
		return ErrChecksum
	}
	return nil
}

// indexOf finds a word; the English list is sorted.
func indexOf(word []byte) (int, bool) {
	return slices.BinarySearchFunc(wordlists.English, word, func(have string, want []byte) int {
		return -bytes.Compare(want, []byte(have))
	})
}

func putBits(b []byte, n, value int) {
	for i := range bitsPerWord {
		at := n*bitsPerWord + i
		b[at/8] |= byte(value>>(bitsPerWord-1-i)&1) << (7 - at%8)
	}
}

// Tidy brings words that a person typed into the form that is stored: lower
// case, one space between. What a file of Tatum KMS holds is never tidied,
// since every byte of it counts for its keys.
func Tidy(typed []byte) []byte {
	return bytes.Join(bytes.Fields(bytes.ToLower(typed)), []byte{' '})
}
