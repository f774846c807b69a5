package qr

import "math"

// rayCount is how many rays are cast around a square.
const rayCount = 32

// ray is what lies in one direction from the centre: the distance of the edge
// of the inner square, of the ring and of the whole.
type ray struct {
	edge [3]float64
	ok   bool
}

// centre casts two rays against each other and returns the middle between them,
// along the direction, and the module.
func (s *search) centre(x, y, dx, dy, m float64) (float64, float64, bool) {
	a, b := s.cast(x, y, dx, dy, m), s.cast(x, y, -dx, -dy, m)
	if !a.ok || !b.ok {
		return 0, 0, false
	}
	inner, ring, whole := a.edge[0]+b.edge[0], a.edge[1]+b.edge[1], a.edge[2]+b.edge[2]
	unit := whole / 7
	if math.Abs(inner-3*unit) > 1.3*unit || math.Abs(ring-5*unit) > 1.3*unit {
		return 0, 0, false
	}
	shift := (a.edge[0] - b.edge[0] + a.edge[2] - b.edge[2]) / 4
	return x*dx + y*dy + shift, unit, true
}

// maxRay bounds a ray, in pixels.
const maxRay = 512

// cast follows a ray out of a dark centre over three edges, by highs and lows
// like row. It gives up as soon as the runs cannot be 3:2:2.
func (s *search) cast(x, y, dx, dy, m float64) ray {
	var r ray
	n := min(int(6*m)+2, maxRay)
	step := s.step.at(int(x), int(y)) << 8
	rising, best, at := false, 0, 0
	last, from, edges := 0, -1, 0
	for d := 0; d <= n; d++ {
		px, py := x+float64(d)*dx, y+float64(d)*dy
		inside := d < n && px >= 0 && py >= 0 && px <= float64(s.view.w-1) && py <= float64(s.view.h-1)
		v := 0
		if inside {
			v = s.view.at(px, py)
			s.line[d] = v
			if d == 0 || (v > best) == rising && v != best {
				best, at = v, d
			}
			if rising && v > best-step || !rising && v < best+step {
				continue
			}
		} else if from < 0 || max(best-last, last-best) < step {
			return r
		}
		if from >= 0 {
			r.edge[edges] = half(s.line[from:at+1], last, best) + float64(from)
			if edges++; edges == 3 {
				r.ok = true
				return r
			}
			if edges == 2 && (r.edge[1] > 3*r.edge[0] || r.edge[1] < 1.15*r.edge[0]) || !inside {
				return r
			}
		}
		last, from, best, at, rising = best, at, v, d, !rising
	}
	return r
}

// half is where a line from a to b passes half the way.
func half(line []int, a, b int) float64 {
	h := (a + b) / 2
	for i := 1; i < len(line); i++ {
		v, w := line[i-1], line[i]
		if (v < h) != (w < h) {
			return float64(i-1) + float64(h-v)/float64(w-v)
		}
	}
	return float64(len(line)-1) / 2
}

// glance casts a few of the rays: most of what is not a square ends here.
func (s *search) glance(f *finder) bool {
	good := 0
	for i := 2; i < rayCount; i += 4 {
		dx, dy := direction(i)
		good += b2i(s.fits(s.cast(f.x, f.y, dx, dy, f.module*1.5)))
	}
	return good >= 4
}

// fits reports whether the runs of a ray are about 3:2:2.
func (s *search) fits(r ray) bool { return r.ok && r.off() < 0.75 }

// off is how far edges are from where they should be, in modules.
func (r ray) off() float64 {
	unit := r.edge[2] / 3.5
	return max(math.Abs(r.edge[0]-1.5*unit), math.Abs(r.edge[1]-2.5*unit)) / unit
}

// likeness is the correlation with a square and the light around it, turned as
// the lengths of the rays say: they are longest towards corners.
func (s *search) likeness(f *finder) float64 {
	var x, y float64
	for i, r := range f.rays {
		if r.ok {
			sin, cos := math.Sincos(8 * math.Pi * float64(i) / rayCount)
			x, y = x+cos*r.edge[2], y+sin*r.edge[2]
		}
	}
	sin, cos := math.Sincos((math.Atan2(y, x) - math.Pi) / 4)
	cos, sin = cos*f.module, sin*f.module
	var sum, squares, light, n float64
	for v := -4.0; v <= 4; v++ {
		for u := -4.0; u <= 4; u++ {
			b := float64(s.view.at(f.x+u*cos-v*sin, f.y+u*sin+v*cos)) / 256
			sum, squares = sum+b, squares+b*b
			if ring := max(math.Abs(u), math.Abs(v)); ring == 2 || ring == 4 {
				light, n = light+b, n+1
			}
		}
	}
	const all = 81
	deviation := math.Sqrt(max(squares/all-sum*sum/(all*all), 1))
	return (light/n - (sum-light)/(all-n)) * math.Sqrt(n*(all-n)) / all / deviation
}

// around casts rays in all directions and moves the centre between them.
func (s *search) around(f *finder) {
	f.rating = 0
	for i := range f.rays {
		dx, dy := direction(i)
		r := s.cast(f.x, f.y, dx, dy, f.module*1.5)
		if r.ok = s.fits(r); r.ok {
			f.rating += (1 - r.off()) / rayCount
		}
		f.rays[i] = r
	}
	var x, y, unit float64
	n := 0
	for i, a := range f.rays[:rayCount/2] {
		b := f.rays[i+rayCount/2]
		if a.ok && b.ok {
			dx, dy := direction(i)
			shift := (a.edge[0] - b.edge[0] + a.edge[2] - b.edge[2]) / 4
			x, y, n = x+dx*shift, y+dy*shift, n+1
			unit += (a.edge[2] + b.edge[2]) / 7
		}
	}
	if n == 0 {
		return
	}
	// the mean over half a circle of shifts along it is half the shift
	f.x, f.y = f.x+2*x/float64(n), f.y+2*y/float64(n)
	f.module = unit / float64(n) / 1.12 // rays towards corners are longer
}

// direction is that of a ray.
func direction(i int) (dx, dy float64) {
	sin, cos := math.Sincos(2 * math.Pi * float64(i) / rayCount)
	return cos, sin
}
