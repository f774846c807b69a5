package evm

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"coldkms/shared/chain"
)

// Arguments of a contract call are words of 32 bytes (Solidity's contract ABI
// specification, "Formal Specification of the Encoding"). A contract reads
// loosely: it ignores bytes behind the arguments, and follows offsets
// anywhere. Here only the one encoding that a compiler writes is read.

const wordSize = 32

type word [wordSize]byte

// arg is the value of one argument: word for a static type, else text or list.
type arg struct {
	word word
	text []byte
	list []word
}

func (a arg) address() Address     { return addressOf(a.word) }
func (a arg) amount() chain.Amount { return chain.AmountFromBytes(a.word) }

func addressOf(w word) (a Address) {
	copy(a[:], w[wordSize-len(a):])
	return a
}

// amounts returns the elements of a uint256[].
func (a arg) amounts() []chain.Amount {
	list := make([]chain.Amount, len(a.list))
	for i, w := range a.list {
		list[i] = chain.AmountFromBytes(w)
	}
	return list
}

// maxElements bounds an array: a person reads each element.
const maxElements = 1000

var (
	errArgsShort  = errors.New("the arguments end too early")
	errArgsBehind = errors.New("bytes follow the arguments")
	errArgsForm   = errors.New("the arguments are not in their one form")
)

// isDynamic reports whether an argument's value stands behind the heads.
func isDynamic(kind string) bool {
	return kind == "bytes" || kind == "string" || strings.HasSuffix(kind, "[]")
}

// decodeArgs reads the arguments of the given types, which fill b.
func decodeArgs(kinds []string, b []byte) ([]arg, error) {
	tail := len(kinds) * wordSize
	if len(b) < tail {
		return nil, errArgsShort
	}
	args := make([]arg, len(kinds))
	for i, kind := range kinds {
		head := word(b[i*wordSize:])
		if !isDynamic(kind) {
			if err := checkWord(kind, head); err != nil {
				return nil, err
			}
			args[i].word = head
			continue
		}
		if offset, ok := smallWord(head); !ok || offset != tail {
			return nil, errArgsForm
		}
		size, err := args[i].readTail(kind, b[tail:])
		if err != nil {
			return nil, err
		}
		tail += size
	}
	switch {
	case tail != len(b):
		return nil, errArgsBehind
	case !bytes.Equal(encodeArgs(kinds, args), b):
		return nil, errArgsForm
	}
	return args, nil
}

// readTail reads a dynamic value and returns the bytes that it takes.
func (a *arg) readTail(kind string, b []byte) (int, error) {
	if len(b) < wordSize {
		return 0, errArgsShort
	}
	n, ok := smallWord(word(b))
	if !ok {
		return 0, errArgsShort
	}
	b = b[wordSize:]
	element, isArray := strings.CutSuffix(kind, "[]")
	if !isArray {
		if padded(n) > len(b) {
			return 0, errArgsShort
		}
		a.text = b[:n]
		return wordSize + padded(n), nil
	}
	switch {
	case n*wordSize > len(b):
		return 0, errArgsShort
	case n > maxElements:
		return 0, fmt.Errorf("an array of %d elements, at most %d are read", n, maxElements)
	}
	for i := range n {
		w := word(b[i*wordSize:])
		if err := checkWord(element, w); err != nil {
			return 0, err
		}
		a.list = append(a.list, w)
	}
	return wordSize + n*wordSize, nil
}

// checkWord reports whether w is a value of a static type.
func checkWord(kind string, w word) error {
	var high int // bytes that must be zero
	switch kind {
	case "address":
		high = wordSize - len(Address{})
	case "uint8", "bool":
		high = wordSize - 1
	}
	if w != zeroHigh(w, high) || kind == "bool" && w[wordSize-1] > 1 {
		return fmt.Errorf("a word of type %s is out of its range", kind)
	}
	return nil
}

func zeroHigh(w word, n int) word {
	clear(w[:n])
	return w
}

// smallWord returns a length or an offset; ok is false if it is larger than
// any calldata.
func smallWord(w word) (n int, ok bool) {
	v, ok := chain.AmountFromBytes(w).Int64()
	return int(v), ok && v <= MaxRLP
}

func padded(n int) int { return (n + wordSize - 1) / wordSize * wordSize }

// encodeArgs returns the arguments as a compiler writes them: heads, then the
// dynamic values in order, each padded with zeros.
func encodeArgs(kinds []string, args []arg) []byte {
	var heads, tails []byte
	for i, a := range args {
		if !isDynamic(kinds[i]) {
			heads = append(heads, a.word[:]...)
			continue
		}
		heads = append(heads, countWord(len(kinds)*wordSize+len(tails))...)
		if !strings.HasSuffix(kinds[i], "[]") {
			tails = append(tails, countWord(len(a.text))...)
			tails = append(tails, a.text...)
			tails = append(tails, make([]byte, padded(len(a.text))-len(a.text))...)
			continue
		}
		tails = append(tails, countWord(len(a.list))...)
		for _, w := range a.list {
			tails = append(tails, w[:]...)
		}
	}
	return append(heads, tails...)
}

func countWord(n int) []byte {
	w := chain.NewAmount(uint64(n)).Bytes()
	return w[:]
}
