package qr

import (
	"cmp"
	"math"
	"slices"
)

// finder is one of the big squares: its centre and about the size of a module.
type finder struct {
	x, y, module float64
	seen         int     // rows that crossed it
	rating       float64 // 1 is a perfect square
	rays         [rayCount]ray
}

const (
	maxFinders    = 1500 // before rays are cast
	keepFound     = 24   // after
	leastRays     = 0.25
	leastLikeness = 0.4
)

// search finds the big squares of a view.
type search struct {
	view  *plane
	step  *contrasts
	found []finder
	line  [maxRay]int
	rows  int // every how many rows are looked at
}

// run looks through the rows.
func (s *search) run() {
	s.found = s.found[:0]
	for y := s.rows; y < s.view.h-1; y += s.rows {
		s.row(y)
	}
	s.verify()
}

// row follows the highs and lows of one row. Between two of them is an edge,
// where half the way is passed: so even a light ring that blur has left no
// lighter than the middle has its two edges. Every
// dark-light-dark-light-dark is looked at.
func (s *search) row(y int) {
	row := s.view.pix[y*s.view.stride:][:s.view.w]
	steps := s.step.of[(y>>3)*s.step.w:][:s.step.w]
	t := turns{row: row, best: row[0], last: row[0], rising: true}
	for block, step := range steps {
		begin := block * 8
		for i, v := range row[begin:min(begin+8, len(row))] {
			switch {
			case (v > t.best) == t.rising && v != t.best:
				t.best, t.at = v, begin+i
			case t.rising && int(v)+int(step) < int(t.best), !t.rising && int(v) > int(t.best)+int(step):
				if t.turn(begin+i, v) {
					s.candidate(&t.edges, y)
				}
			}
		}
	}
	if t.turn(len(row)-1, 0) {
		s.candidate(&t.edges, y)
	}
}

// turns are the highs and lows of a row, as far as it was followed.
type turns struct {
	row    []byte
	edges  [6]int32 // the last ones, in 1/16 of a pixel
	n      int      // of edges
	rising bool     // a high is looked for
	best   byte     // the highest or lowest
	at     int      // where
	last   byte     // the extreme before
	from   int      // where
}

// turn takes the best for an extreme, since at x it goes the other way, and
// reports whether it ended the runs of a square.
func (t *turns) turn(x int, v byte) bool {
	copy(t.edges[:5], t.edges[1:])
	t.edges[5] = crossing(t.row, t.from, t.at, t.last, t.best)
	t.n++
	square := t.rising && t.n >= 6 && ratio(&t.edges)
	t.last, t.from, t.best, t.at, t.rising = t.best, t.at, v, x, !t.rising
	return square
}

// crossing is where, between the extremes at from and to, half the way is
// passed, in 1/16 of a pixel.
func crossing(row []byte, from, to int, a, b byte) int32 {
	half := (int32(a) + int32(b) + 1) / 2
	for x := from + 1; x <= to; x++ {
		v, w := int32(row[x-1]), int32(row[x])
		if (v < half) != (w < half) {
			return int32(x-1)*16 + (half-v)*16/(w-v)
		}
	}
	return int32(from+to) * 8
}

// ratio reports whether six edges are about 1:1:3:1:1.
func ratio(e *[6]int32) bool {
	whole := e[5] - e[0]
	if whole < 7*20 { // 1.25 pixels a module
		return false
	}
	m := whole / 7
	slack := m * 5 / 8
	return near(e[1]-e[0], m, slack) && near(e[2]-e[1], m, slack) && near(e[3]-e[2], 3*m, 2*slack) &&
		near(e[4]-e[3], m, slack) && near(e[5]-e[4], m, slack)
}

func near(v, want, slack int32) bool { return v > want-slack && v < want+slack }

// candidate checks in the column and back in the row, and counts what is
// crossed again.
func (s *search) candidate(e *[6]int32, row int) {
	x, y := float64(e[2]+e[3])/32, float64(row)
	m := float64(e[5]-e[0]) / (16 * 7)
	for i := range s.found {
		f := &s.found[i]
		if math.Abs(f.x-x) < 0.7*m && math.Abs(f.y-y) < 1.8*m && m < 1.7*f.module && f.module < 1.7*m {
			f.seen++
			return
		}
	}
	if len(s.found) == maxFinders {
		return
	}
	y, up, ok := s.centre(x, y, 0, 1, m)
	if !ok {
		return
	}
	x, across, ok := s.centre(x, y, 1, 0, m)
	if !ok || up > 2*across || across > 2*up {
		return
	}
	s.found = append(s.found, finder{x: x, y: y, module: (up + across) / 2, seen: 1})
}

// verify casts rays all around and keeps what looks like a square, best first.
func (s *search) verify() {
	kept := s.found[:0]
	for _, f := range s.found {
		if !s.glance(&f) || !s.square(&f) {
			continue
		}
		kept = append(kept, f)
	}
	slices.SortFunc(kept, func(a, b finder) int { return cmp.Compare(b.rating, a.rating) })
	s.found = kept[:0]
	for _, f := range kept {
		if len(s.found) < keepFound && !slices.ContainsFunc(s.found, f.same) {
			s.found = append(s.found, f)
		}
	}
}

// same reports whether another is the same square, found from another place.
func (f finder) same(g finder) bool {
	return math.Hypot(f.x-g.x, f.y-g.y) < 2*max(f.module, g.module)
}

// near looks whether squares are about where they were. False if one is not.
func (s *search) near(before []finder) bool {
	s.found = s.found[:0]
	for _, f := range before {
		if !s.square(&f) {
			return false
		}
		s.found = append(s.found, f)
	}
	return len(s.found) > 0
}

// also adds squares that were found in another view and are seen in this one.
func (s *search) also(others []finder) {
	for _, f := range others {
		if len(s.found) < keepFound && !slices.ContainsFunc(s.found, f.same) && s.square(&f) {
			s.found = append(s.found, f)
		}
	}
}

// square settles the centre of a square and rates it. False if it is none.
func (s *search) square(f *finder) bool {
	s.around(f)
	if f.rating < leastRays {
		return false
	}
	s.around(f)
	f.rating = s.likeness(f)
	return f.rating >= leastLikeness
}
