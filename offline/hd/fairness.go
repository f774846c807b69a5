package hd

import (
	"bytes"
	"fmt"
)

const (
	faces = 6
	// chiLow and chiHigh bound the chi-square of the six counts, 5 degrees of
	// freedom: a fair die is outside once in 1,000 on either side. Too even is
	// as suspicious as too uneven: it is what a person invents.
	chiLow, chiHigh = 0.2102, 20.515
	// longRun is a run of equal throws that 99 fair throws have once in 3,900,
	// and 1,000 once in 340.
	longRun = 8
	// maxPeriod is up to which distance a repeated pattern is looked for. At
	// any of them fair dice agree with themselves in one place of six; half of
	// the places is out of reach for chance (below 1 in 10^5 for 50 throws).
	maxPeriod = 12
)

// CheckDice refuses throws that are too few or too many for so many words,
// that are no digits 1 to 6, or that are all the same.
func CheckDice(throws []byte, words int) error {
	need, err := Throws(words)
	switch {
	case err != nil:
		return err
	case len(throws) < need:
		return fmt.Errorf("%w: %d throws; %d words need %d", ErrDice, len(throws), words, need)
	case len(throws) > MaxThrows:
		return fmt.Errorf("%w: more than %d of them", ErrDice, MaxThrows)
	case bytes.ContainsFunc(throws, func(r rune) bool { return r < '1' || r > '6' }):
		return fmt.Errorf("%w: digits 1 to 6 only", ErrDice)
	case distinct(throws) < 2:
		return fmt.Errorf("%w: all the same", ErrDice)
	}
	return nil
}

// Doubts says what makes throws (of ParseDice) look invented, or the die loaded. A fair die
// raises one about twice in a thousand times: throw again then.
func Doubts(throws []byte) []string {
	var doubts []string
	switch chi := chiSquare(throws); {
	case chi > chiHigh:
		doubts = append(doubts, fmt.Sprintf("the faces come up too unevenly (chi-square %.1f, above %.1f)", chi, chiHigh))
	case chi < chiLow:
		doubts = append(doubts, fmt.Sprintf("the faces come up too evenly (chi-square %.2f, below %.2f)", chi, chiLow))
	}
	if run := longestRun(throws); run >= longRun {
		doubts = append(doubts, fmt.Sprintf("%d equal throws in a row", run))
	}
	if p := period(throws); p > 0 {
		doubts = append(doubts, fmt.Sprintf("they repeat themselves every %d throws", p))
	}
	return doubts
}

func chiSquare(throws []byte) float64 {
	var counts [faces]float64
	for _, c := range throws {
		counts[c-'1']++
	}
	expected := float64(len(throws)) / faces
	sum := 0.0
	for _, n := range counts {
		sum += (n - expected) * (n - expected) / expected
	}
	return sum
}

func longestRun(throws []byte) int {
	longest, run := 0, 0
	for i, c := range throws {
		if i == 0 || c != throws[i-1] {
			run = 0
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// period is the shortest distance at which at least half of the throws agree,
// or 0.
func period(throws []byte) int {
	for p := 2; p <= maxPeriod && p < len(throws); p++ {
		same := 0
		for i := p; i < len(throws); i++ {
			if throws[i] == throws[i-p] {
				same++
			}
		}
		if 2*same >= len(throws)-p {
			return p
		}
	}
	return 0
}
