package policy

import (
	"slices"

	"coldkms/shared/chain"
)

// Statistics are of logarithms in 1/256 of a doubling (chain.Amount.Log2), so
// that ratios are differences and everything is an integer.

// median returns the middle of values in any order, which it sorts; 0 of none.
func median(values []int64) int64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// above returns the value of a sorted list that one in so many is above: the
// largest where the list is too short to tell.
func above(sorted []int64, oneIn int64) int64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int64(len(sorted)-1)-int64(len(sorted))/max(oneIn, 1)]
}

// spread is how far a list reaches above its median: the distance to what one in
// ten is above, times two and a half. Of values that are spread evenly in
// doublings one in some thousands lies beyond.
func spread(sorted []int64, least int64) (middle, reach int64) {
	middle = sorted[len(sorted)/2]
	return middle, max(above(sorted, 10)-middle, least) * 5 / 2
}

// closeTo reports whether two amounts differ by so many percent of the larger at
// most.
func closeTo(a, b chain.Amount, percent int64) bool {
	if a.Cmp(b) < 0 {
		a, b = b, a
	}
	return !a.Minus(b).AbovePercent(percent, a)
}

// times writes a ratio of logarithms in words, such as "12.4".
func times(now, usual chain.Amount) string { return chain.Tenths(now, usual, 1) }
