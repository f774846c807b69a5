package qr

import "math"

// frame is the neighbourhood of a big square: affine between the picture and
// modules counted from its centre.
type frame struct {
	x, y           float64 // centre
	rx, ry, dx, dy float64 // a module to the right, a module down
}

// at is the place of a module counted from the centre.
func (f *frame) at(u, v float64) (x, y float64) {
	return f.x + u*f.rx + v*f.dx, f.y + u*f.ry + v*f.dy
}

// fit finds the frame of a square by its edges: three rings of known size, each
// with four sides. right and down are about its directions.
func fit(f *finder, rx, ry, dx, dy float64) (frame, bool) {
	r, d := f.module/math.Hypot(rx, ry), f.module/math.Hypot(dx, dy)
	fr := frame{f.x, f.y, rx * r, ry * r, dx * d, dy * d}
	for round := range 3 {
		next, ok := fr.refine(f, []float64{1.2, 0.8, 0.6}[round])
		if !ok {
			return fr, false
		}
		fr = next
	}
	return fr, true
}

var rings = [3]float64{1.5, 2.5, 3.5}

// refine fits, for each axis, the line that gives every edge point of its two
// sides its known distance. Points further off than slack modules, and those
// near corners, which blur rounds, are left out.
func (fr frame) refine(f *finder, slack float64) (frame, bool) {
	det := fr.rx*fr.dy - fr.dx*fr.ry
	if math.Abs(det) < 1e-6 {
		return fr, false
	}
	across, down := newEquations(3), newEquations(3)
	var sides [4]int
	for i, ray := range f.rays {
		if !ray.ok {
			continue
		}
		ux, uy := direction(i)
		for k, size := range rings {
			px, py := ux*ray.edge[k], uy*ray.edge[k] // from the finder's centre
			qx, qy := px+f.x-fr.x, py+f.y-fr.y
			u, v := (qx*fr.dy-qy*fr.dx)/det, (qy*fr.rx-qx*fr.ry)/det
			au, av := math.Abs(u), math.Abs(v)
			switch {
			case au > av && av < 0.8*size && math.Abs(au-size) < slack:
				across.add([]float64{px, py, 1}, math.Copysign(size, u))
				sides[b2i(u > 0)]++
			case av >= au && au < 0.8*size && math.Abs(av-size) < slack:
				down.add([]float64{px, py, 1}, math.Copysign(size, v))
				sides[2+b2i(v > 0)]++
			}
		}
	}
	if min(sides[0], sides[1], sides[2], sides[3]) < 4 {
		return fr, false
	}
	a, b := across.solve(), down.solve()
	if a == nil || b == nil {
		return fr, false
	}
	return invertFrame(a, b, f.x, f.y)
}

// invertFrame turns "picture to modules" into a frame.
func invertFrame(a, b []float64, ox, oy float64) (frame, bool) {
	det := a[0]*b[1] - a[1]*b[0]
	if math.Abs(det) < 1e-9 {
		return frame{}, false
	}
	fr := frame{rx: b[1] / det, dx: -a[1] / det, ry: -b[0] / det, dy: a[0] / det}
	fr.x = ox - a[2]*fr.rx - b[2]*fr.dx
	fr.y = oy - a[2]*fr.ry - b[2]*fr.dy
	return fr, true
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
