package qr

// attempt is one way to look at a picture.
type attempt struct {
	halved   int  // how often the size is halved
	raw      bool // without smoothing: very small modules
	negative bool // light on dark
	part     byte // the share of the range of brightness that is no noise
	rows     int  // every how many rows are looked at
}

// attempts, likeliest first for a picture of this height.
func attempts(height int) []attempt {
	full := attempt{part: 10, rows: 2}
	half := attempt{halved: 1, part: 7, rows: 2}
	quarter := attempt{halved: 2, part: 6, rows: 2}
	small := attempt{raw: true, part: 6, rows: 1}
	faint := attempt{part: 12, rows: 1}
	negative, negativeHalf := full, half
	negative.negative, negativeHalf.negative = true, true
	if height > 600 { // half the size costs a quarter and is often enough
		return []attempt{half, full, quarter, small, faint, negativeHalf, negative}
	}
	return []attempt{full, half, small, faint, quarter, negative, negativeHalf}
}

// region is a part of a picture.
type region struct{ x, y, w, h int }

// scene is what an attempt looks at: the view in which squares are sought, the
// same without smoothing, and where both lie in the picture.
type scene struct {
	view, raw *plane
	fine      *plane // twice the size of view; nil if there is none
	at        region
	halved    int
}

// point leads back to the picture.
func (s *scene) point(x, y float64) Point {
	f := float64(int(1) << s.halved)
	return Point{x*f + (f-1)/2 + float64(s.at.x), y*f + (f-1)/2 + float64(s.at.y)}
}

// outside is a square in the picture.
func (s *scene) outside(f *finder) finder {
	p := s.point(f.x, f.y)
	return finder{x: p.X, y: p.Y, module: f.module * float64(int(1)<<s.halved)}
}

// inside undoes outside.
func (s *scene) inside(list []finder) []finder {
	size := float64(int(1) << s.halved)
	out := make([]finder, len(list))
	for i, f := range list {
		out[i] = finder{
			x: (f.x - float64(s.at.x) - (size-1)/2) / size, y: (f.y - float64(s.at.y) - (size-1)/2) / size, module: f.module / size,
		}
	}
	return out
}

// prepare makes the scene of an attempt. False if the picture is too small for it.
func (r *Reader) prepare(full *plane, at region, a attempt) (scene, bool) {
	r.part = plane{full.pix[at.y*full.stride+at.x:], at.w, at.h, full.stride}
	s := scene{raw: &r.part, at: at, halved: a.halved}
	for i := range a.halved {
		s.fine = s.raw
		r.halves[i].half(s.raw)
		s.raw = &r.halves[i]
	}
	if s.raw.w < minSide || s.raw.h < minSide {
		return s, false
	}
	if a.negative {
		r.negative.invert(s.raw)
		s.raw, s.fine = &r.negative, nil
	}
	s.view = s.raw
	if !a.raw {
		r.smooth.smooth(s.raw, &r.rows)
		s.view = &r.smooth
	}
	return s, true
}
