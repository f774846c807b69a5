package chain

import (
	"fmt"
	"math/big"
	"strings"
)

// Reason is one refusal or finding. Message is a format string in English and
// the key of its translation; Args are what it formats. Text makes the
// sentence, at the edge.
type Reason struct {
	Code     Code
	At       At // what of the transaction it is about
	Severity Severity
	Excess   int64 // how far beyond what is usual, to order reasons of one code; 0 if that has no measure
	Message  string
	Args     []any
	Also     []Reason // what follows in the same sentence, after semicolons
}

// Severity is how much attention a finding needs. A Reason that is Unrated has the
// severity of its code.
type Severity uint8

// The severities, the least first.
const (
	Unrated Severity = iota
	Note             // something is so that need not be wrong
	Look             // may be a mistake or an attack
	Alarm            // is hardly ever right
)

// Rated returns the reason with a severity.
func (r Reason) Rated(s Severity) Reason {
	r.Severity = s
	return r
}

// Beyond returns the reason with how far it is beyond what is usual.
func (r Reason) Beyond(excess int64) Reason {
	r.Excess = excess
	return r
}

// Because makes a Reason that is about no part of the transaction.
func Because(code Code, message string, args ...any) Reason {
	if false {
		_ = fmt.Sprintf(message, args...) // go vet checks the arguments
	}
	return Reason{Code: code, Message: message, Args: args}
}

// Of returns the reason as one about a part of the transaction.
func (r Reason) Of(at At) Reason {
	r.At = at
	return r
}

// Text returns the sentence in English: our words, and escaped foreign ones.
func (r Reason) Text() string {
	if len(r.Also) == 0 {
		return fmt.Sprintf(r.Message, r.Args...)
	}
	parts := []string{fmt.Sprintf(r.Message, r.Args...)}
	for _, also := range r.Also {
		parts = append(parts, also.Text())
	}
	return strings.Join(parts, "; ")
}

// At is a part of a transaction. The zero value is none.
type At struct {
	Part  Part
	Index int // of the source or movement
}

// Part is what a Reason is about.
type Part uint8

// The parts.
const (
	Whole Part = iota
	OfSource
	OfMovement
	OfFee
)

// Sum is an amount of an asset, as an argument of a Reason.
type Sum struct {
	Amount Amount
	Asset  Asset
}

// String returns the amount in units and in smallest units.
func (s Sum) String() string { return s.Asset.Format(s.Amount) }

// Count returns a number and a noun, such as "1 block" or "2 blocks".
func Count[N int | int64 | uint64](n N, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// Tenths returns part/whole·times to one decimal, rounded down, such as "0.4";
// "all" if whole is 0.
func Tenths(part, whole Amount, times int64) string {
	if whole.IsZero() {
		return "all"
	}
	n := part.Big()
	n.Mul(n, big.NewInt(10*times))
	units, rest := n.Quo(n, whole.Big()).QuoRem(n, big.NewInt(10), new(big.Int))
	return fmt.Sprintf("%s.%s", units, rest)
}
