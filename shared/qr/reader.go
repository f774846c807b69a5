package qr

import (
	"image"
	"math"
)

// Bounds of a picture, and of the work on one.
const (
	minSide    = 40   // pixels; nothing can be read of less
	maxSide    = 8192 // pixels
	maxTriples = 12   // tried in one attempt
	maxSymbols = 16   // read in one picture
)

// Reader reads symbols. It remembers from picture to picture where and how it
// found them, so that steady video costs little, and keeps its memory. It is
// used by one goroutine at a time; the zero value is ready.
type Reader struct {
	last    region   // where symbols were; empty if there were none
	count   int      // how many
	won     attempt  // how
	squares []finder // their squares, in the picture
	seen    []finder // all squares of this picture, so far
	looks   int      // pictures
	misses  int      // pictures in a row without a symbol

	part, smooth, negative plane
	halves                 [2]plane
	rows                   []uint16
	steps                  contrasts
	search                 search
	align                  aligner
	mesh                   mesh
	samples                samples
	equal                  equaliser
	layouts                [41]*layout
}

// Read returns the symbols of a picture, which may have none.
func (r *Reader) Read(img *image.Gray) []Symbol {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	if w < minSide || h < minSide || w > maxSide || h > maxSide {
		return nil
	}
	full := plane{img.Pix[img.PixOffset(img.Rect.Min.X, img.Rect.Min.Y):], w, h, img.Stride}
	whole := region{0, 0, w, h}
	if list := r.again(&full, whole); list != nil {
		return list
	}
	r.seen = r.seen[:0]
	for _, a := range r.plan(h) {
		if list := r.look(&full, whole, a, false); len(list) > 0 {
			r.remember(list, a, whole)
			return list
		}
	}
	r.count = 0
	r.misses++
	return nil
}

// wholeEvery is how often a whole picture is looked at although symbols are
// where they were: another may have come.
const wholeEvery = 16

// again looks where the last picture had its symbols.
func (r *Reader) again(full *plane, whole region) []Symbol {
	r.looks++
	if r.count == 0 || r.looks%wholeEvery == 0 || r.last.x+r.last.w > whole.w || r.last.y+r.last.h > whole.h {
		return nil
	}
	list := r.look(full, r.last, r.won, true)
	if len(list) < r.count {
		list = r.look(full, r.last, r.won, false)
	}
	if len(list) < r.count {
		return nil
	}
	r.remember(list, r.won, whole)
	return list
}

// plan is the order of attempts: what worked last first. After some pictures
// without a symbol only two are made of each, in turn.
func (r *Reader) plan(height int) []attempt {
	list := attempts(height)
	const patience = 3
	if r.misses > patience {
		return []attempt{list[0], list[1+r.misses%(len(list)-1)]}
	}
	for i, a := range list {
		if r.won == a {
			copy(list[1:i+1], list[:i])
			list[0] = a
		}
	}
	return list
}

// remember notes where and how symbols were found: an eighth around them is
// room to move.
func (r *Reader) remember(list []Symbol, a attempt, whole region) {
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), 0.0, 0.0
	for _, s := range list {
		for _, c := range s.Corners {
			x0, y0, x1, y1 = min(x0, c.X), min(y0, c.Y), max(x1, c.X), max(y1, c.Y)
		}
	}
	room := max(x1-x0, y1-y0)/8 + 8
	left, top := max(int(x0-room), 0), max(int(y0-room), 0)
	r.last = region{left, top, min(int(x1+room), whole.w) - left, min(int(y1+room), whole.h) - top}
	r.won, r.count, r.misses = a, len(list), 0
}

// look makes one attempt at a part of a picture; if following, only at the
// squares that the last picture had.
func (r *Reader) look(full *plane, at region, a attempt, following bool) []Symbol {
	s, ok := r.prepare(full, at, a)
	if !ok {
		return nil
	}
	r.steps.measure(s.view, a.part)
	r.search.view, r.search.step, r.search.rows = s.view, &r.steps, a.rows
	if !following {
		r.search.run()
		r.search.also(s.inside(r.seen))
		r.seen = r.seen[:0]
		for i := range r.search.found {
			r.seen = append(r.seen, s.outside(&r.search.found[i]))
		}
	} else if !r.search.near(s.inside(r.squares)) {
		return nil
	}
	return r.symbols(&s)
}

// symbols reads what the squares found belong to.
func (r *Reader) symbols(s *scene) []Symbol {
	var list []Symbol
	var squares []finder
	used := map[*finder]bool{}
	tried := 0
	for _, t := range triples(r.search.found) {
		if used[t.corner] || used[t.right] || used[t.down] {
			continue
		}
		if tried++; tried > maxTriples || len(list) == maxSymbols {
			break
		}
		if found, ok := r.triple(s, t); ok {
			used[t.corner], used[t.right], used[t.down] = true, true, true
			squares = append(squares, s.outside(t.corner), s.outside(t.right), s.outside(t.down))
			list = append(list, found)
			tried = 0
		}
	}
	if len(list) > 0 {
		r.squares = squares
	}
	return list
}

// triple reads the symbol of three squares.
func (r *Reader) triple(s *scene, t triple) (Symbol, bool) {
	p, ok := t.place(s.view)
	if !ok {
		return Symbol{}, false
	}
	in := *s
	in.halved = p.finer(s)
	for _, v := range p.versions() {
		if found, ok := r.version(&p, r.layout(v)); ok {
			for i, c := range found.Corners {
				found.Corners[i] = in.point(c.X, c.Y)
			}
			return found, true
		}
	}
	return Symbol{}, false
}

func (r *Reader) layout(version int) *layout {
	if r.layouts[version] == nil {
		r.layouts[version] = newLayout(version)
	}
	return r.layouts[version]
}

// leastTiming is how well the timing lines of a symbol must alternate.
const leastTiming = 0.4

// version reads a symbol of known size. Its corners are those in the view.
func (r *Reader) version(p *placed, l *layout) (Symbol, bool) {
	if !r.mesh.start(p, l) || r.mesh.timing(p.view) < leastTiming {
		return Symbol{}, false
	}
	r.align.view = p.view
	r.mesh.refine(&r.align)
	r.samples.take(p.view, &r.mesh)
	r.samples.level(l)
	found, ok := r.decide(l)
	if !ok {
		return Symbol{}, false
	}
	for i, c := range [4][2]float64{{0, 0}, {1, 0}, {1, 1}, {0, 1}} {
		found.Corners[i].X, found.Corners[i].Y = r.mesh.at(c[0]*float64(l.dim)-0.5, c[1]*float64(l.dim)-0.5)
	}
	return found, true
}

// Shares of known modules read wrongly, in 1/1000.
const (
	fewMistakes  = 30  // error correction may do
	manyMistakes = 250 // this is no symbol
)

// decide tries the plain samples, then equalised ones.
func (r *Reader) decide(l *layout) (Symbol, bool) {
	r.equal.plain(&r.samples)
	wrong := r.equal.mistakes(l)
	if wrong > manyMistakes {
		return Symbol{}, false
	}
	if wrong <= fewMistakes {
		if s, ok := decode(r.equal.out, l); ok {
			return s, true
		}
	}
	for round := range 3 {
		if !r.equal.learn(&r.samples, l, round > 0) {
			break
		}
		r.equal.apply(&r.samples)
		if s, ok := decode(r.equal.out, l); ok {
			return s, true
		}
	}
	return Symbol{}, false
}
