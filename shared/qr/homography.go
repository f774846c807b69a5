package qr

import "math"

// homography leads from modules to the picture. Both sides are scaled to about
// ±1, so that the fit is well conditioned.
type homography struct {
	h          [9]float64
	mid, unit  float64 // of modules
	x, y, size float64 // of the picture
}

// pair is a module and where it is seen.
type pair struct{ u, v, x, y float64 }

// fitHomography is the least-squares fit over all pairs; it wants four.
func fitHomography(pairs []pair, dim int) (homography, bool) {
	h := homography{mid: float64(dim-1) / 2, unit: float64(dim) / 2}
	for _, p := range pairs {
		h.x, h.y = h.x+p.x/float64(len(pairs)), h.y+p.y/float64(len(pairs))
	}
	for _, p := range pairs {
		h.size = max(h.size, math.Abs(p.x-h.x), math.Abs(p.y-h.y))
	}
	if len(pairs) < 4 || h.size == 0 {
		return h, false
	}
	e := newEquations(8)
	for _, p := range pairs {
		u, v := (p.u-h.mid)/h.unit, (p.v-h.mid)/h.unit
		x, y := (p.x-h.x)/h.size, (p.y-h.y)/h.size
		e.add([]float64{u, v, 1, 0, 0, 0, -u * x, -v * x}, x)
		e.add([]float64{0, 0, 0, u, v, 1, -u * y, -v * y}, y)
	}
	s := e.solve()
	if s == nil {
		return h, false
	}
	copy(h.h[:], s)
	h.h[8] = 1
	return h, true
}

// at is the place of the centre of a module.
func (h *homography) at(u, v float64) (x, y float64) {
	u, v = (u-h.mid)/h.unit, (v-h.mid)/h.unit
	w := h.h[6]*u + h.h[7]*v + h.h[8]
	if w < 0.05 {
		w = 0.05 // beyond the horizon; such a fit reads nothing
	}
	return h.x + h.size*(h.h[0]*u+h.h[1]*v+h.h[2])/w, h.y + h.size*(h.h[3]*u+h.h[4]*v+h.h[5])/w
}

// steps are a module to the right and a module down at a module.
func (h *homography) steps(u, v float64) (rx, ry, dx, dy float64) {
	x0, y0 := h.at(u-0.5, v)
	x1, y1 := h.at(u+0.5, v)
	x2, y2 := h.at(u, v-0.5)
	x3, y3 := h.at(u, v+0.5)
	return x1 - x0, y1 - y0, x3 - x2, y3 - y2
}
