package qr

import (
	"cmp"
	"math"
	"slices"
)

// triple is three squares that may be a symbol's: the corner, and the two at
// the ends of its sides, so ordered that the second is on the right of a
// symbol that is not mirrored.
type triple struct {
	corner, right, down *finder
	cost                float64
}

// triples are those that look like a symbol, best first.
func triples(found []finder) []triple {
	var list []triple
	for i := range found {
		for j := i + 1; j < len(found); j++ {
			for k := j + 1; k < len(found); k++ {
				if t, ok := order(&found[i], &found[j], &found[k]); ok {
					list = append(list, t)
				}
			}
		}
	}
	slices.SortFunc(list, func(a, b triple) int { return cmp.Compare(a.cost, b.cost) })
	return list
}

// order names the corner: it is opposite the longest side.
func order(a, b, c *finder) (triple, bool) {
	small, big := min(a.module, b.module, c.module), max(a.module, b.module, c.module)
	if big > 1.8*small {
		return triple{}, false
	}
	ab, bc, ca := between(a, b), between(b, c), between(c, a)
	switch max(ab, bc, ca) {
	case ab:
		a, c = c, a
	case ca:
		a, b = b, a
	}
	ux, uy, vx, vy := b.x-a.x, b.y-a.y, c.x-a.x, c.y-a.y
	if ux*vy-uy*vx < 0 {
		b, c = c, b
		ux, uy, vx, vy = vx, vy, ux, uy
	}
	u, v := math.Hypot(ux, uy), math.Hypot(vx, vy)
	if u < 10*small || v < 10*small || u > 220*big || v > 220*big {
		return triple{}, false
	}
	skew := math.Abs(ux*vx+uy*vy) / (u * v)
	uneven := math.Abs(math.Log(u / v))
	if skew > 0.5 || uneven > 0.7 {
		return triple{}, false
	}
	doubt := 3 - a.rating - b.rating - c.rating
	return triple{a, b, c, skew + uneven + math.Log(big/small) + doubt}, true
}

func between(a, b *finder) float64 { return math.Hypot(a.x-b.x, a.y-b.y) }
