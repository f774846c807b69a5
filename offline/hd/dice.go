package hd

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

// ErrDice says why thrown dice are not taken.
var ErrDice = errors.New("not throws of dice")

// MaxThrows bounds what is typed.
const MaxThrows = 1000

// SystemSize is how many bytes of the system's randomness go in with dice.
const SystemSize = 32

// The tags of the derivation are part of the format: docs/FORMAT.md.
const (
	diceSalt = "coldkms dice v1"
	diceInfo = "bip39 entropy"
)

// Throws is how many throws of a die with six faces so many words need: each
// gives log2(6) = 2.58 bits. 99 give 255.9 of 256, as is the custom.
func Throws(words int) (int, error) {
	size, err := entropySize(words)
	if err != nil {
		return 0, err
	}
	return map[int]int{16: 50, 20: 62, 24: 75, 28: 87, 32: 99}[size], nil
}

// ParseDice reads throws as a person types them: digits 1 to 6, apart by
// spaces or not. Anything else is refused. The caller wipes the throws.
func ParseDice(typed []byte) ([]byte, error) {
	throws := make([]byte, 0, len(typed))
	for i, c := range typed {
		switch {
		case c >= '1' && c <= '6':
			throws = append(throws, c)
		case c != ' ' && c != '\t':
			clear(throws)
			return nil, fmt.Errorf("%w: character %d is none of 1 to 6", ErrDice, i+1)
		}
	}
	return throws, nil
}

// Mixed is the entropy of words made of dice, and what it was made of. All of
// it is as secret as the words.
type Mixed struct {
	System  []byte // from the source of randomness
	Dice    []byte // ASCII digits
	Entropy []byte // of 16 to 32 bytes
}

// Wipe forgets it.
func (m Mixed) Wipe() {
	clear(m.System)
	clear(m.Dice)
	clear(m.Entropy)
}

// Recipe is how a Mixed is computed, in words for a transcript.
func (m Mixed) Recipe() string {
	return fmt.Sprintf("HKDF-SHA-256(ikm = system bytes followed by the digits as ASCII, salt = %q, info = %q, length = %d)", diceSalt, diceInfo, len(m.Entropy))
}

// DrawSystem draws the system's part. It is drawn, and its hash shown, before
// the dice are thrown, so that it cannot depend on them.
func DrawSystem(entropy *Source) ([]byte, error) {
	system := make([]byte, SystemSize)
	if _, err := io.ReadFull(entropy, system); err != nil {
		return nil, fmt.Errorf("draw the system's randomness: %w", err)
	}
	return system, nil
}

// Mix makes entropy for so many words from the system's randomness and thrown
// dice. Whoever lacks either, however bad the other, cannot tell it from
// random. It takes both slices over.
func Mix(system, dice []byte, words int) (Mixed, error) {
	size, err := entropySize(words)
	if err != nil {
		return Mixed{}, fmt.Errorf("mix dice: %w", err)
	}
	if len(system) != SystemSize {
		return Mixed{}, fmt.Errorf("mix dice: %d bytes of the system, want %d", len(system), SystemSize)
	}
	if err := CheckDice(dice, words); err != nil {
		return Mixed{}, fmt.Errorf("mix dice: %w", err)
	}
	ikm := append(append(make([]byte, 0, len(system)+len(dice)), system...), dice...)
	defer clear(ikm)
	entropy, err := hkdf.Key(sha256.New, ikm, []byte(diceSalt), diceInfo, size)
	if err != nil {
		return Mixed{}, fmt.Errorf("mix dice: %w", err)
	}
	return Mixed{System: system, Dice: dice, Entropy: entropy}, nil
}
