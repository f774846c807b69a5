package frametest

import (
	"math"
	"math/rand/v2"
)

// Model is how badly a picture is taken.
type Model struct {
	Name        string
	Size        float64 // of the screen with its quiet zone, in heights of the picture
	Blur        float64 // σ in pixels
	Motion      float64 // length of the smear in pixels
	Contrast    float64 // between dark and light, 1 is all
	Light       float64 // brightness of white, 1 is all
	Noise       float64 // σ in steps of 255
	Perspective float64 // how much a corner may be off, in sizes
	Angle, Sway float64 // rotation in degrees, ± Sway
	Barrel      float64 // how far the lens bends the corners of the picture, in sizes
	Glare       float64 // strength of a bright spot on the screen
	Vignette    float64 // darkening of the corners
	Moire       float64 // strength of the interference with the screen's pixels
	Tear        float64 // how much the place where two frames meet varies, in heights
	Quality     [2]int  // of the JPEG, from–to
}

// Models are the five of the recorded test frames, and more.
func Models() []Model {
	usual := [2]int{70, 90}
	return []Model{
		{Name: "easy", Size: 0.89, Blur: 0.6, Contrast: 0.9, Light: 0.9, Noise: 4, Sway: 2, Quality: usual},
		{Name: "std", Size: 0.83, Blur: 1, Contrast: 0.7, Light: 0.85, Noise: 8, Perspective: 0.04, Sway: 5, Quality: usual},
		{Name: "hard", Size: 0.78, Blur: 1.4, Contrast: 0.5, Light: 0.8, Noise: 10, Perspective: 0.08, Sway: 10,
			Quality: usual},
		{Name: "small", Size: 0.58, Blur: 0.8, Contrast: 0.7, Light: 0.85, Noise: 6, Perspective: 0.03, Sway: 5,
			Quality: usual},
		{Name: "tilt45", Size: 0.83, Blur: 0.8, Contrast: 0.75, Light: 0.85, Noise: 8, Perspective: 0.03, Angle: 45,
			Sway: 5, Quality: usual},
		{Name: "lowlight", Size: 0.8, Blur: 0.8, Contrast: 0.8, Light: 0.25, Noise: 6, Perspective: 0.04, Sway: 8,
			Vignette: 0.5, Quality: usual},
		{Name: "glare", Size: 0.8, Blur: 0.8, Contrast: 0.7, Light: 0.7, Noise: 5, Perspective: 0.04, Sway: 8, Glare: 0.6,
			Quality: usual},
		{Name: "moire", Size: 0.8, Blur: 0.8, Contrast: 0.7, Light: 0.8, Noise: 5, Perspective: 0.04, Sway: 8, Moire: 0.25,
			Quality: usual},
		{Name: "motion", Size: 0.8, Blur: 0.6, Motion: 3, Contrast: 0.7, Light: 0.8, Noise: 5, Perspective: 0.04, Sway: 8,
			Quality: usual},
		{Name: "lens", Size: 0.85, Blur: 0.8, Contrast: 0.7, Light: 0.8, Noise: 5, Perspective: 0.06, Sway: 15,
			Barrel: 0.03, Quality: usual},
		{Name: "steep", Size: 0.8, Blur: 0.7, Contrast: 0.7, Light: 0.8, Noise: 5, Perspective: 0.15, Sway: 180,
			Quality: usual},
	}
}

// pose is where a screen lies in the picture: from a pixel to the screen's.
type pose struct {
	h           [9]float64
	cx, cy, far float64 // middle of the lens, and its reach
	barrel      float64
	side        int // of the screen in its own pixels
}

func (m Model) pose(rnd *rand.Rand, w, h, side int) pose {
	half := m.Size * float64(h) / 2
	sin, cos := math.Sincos((m.Angle + m.Sway*(2*rnd.Float64()-1)) * math.Pi / 180)
	cx, cy := float64(w)/2+half*0.05*(2*rnd.Float64()-1), float64(h)/2
	if reach := half * (math.Abs(sin) + math.Abs(cos)); reach > float64(h)/2 {
		half *= float64(h) / 2 / reach // turned, it must still fit
	}
	var quad [4][2]float64
	for i, c := range [4][2]float64{{-1, -1}, {1, -1}, {1, 1}, {-1, 1}} {
		x, y := c[0]*half, c[1]*half
		off := func() float64 { return m.Perspective * half * 2 * (rnd.Float64() - 0.5) }
		quad[i] = [2]float64{cx + cos*x - sin*y + off(), cy + sin*x + cos*y + off()}
	}
	return pose{
		h: quadToSquare(quad), cx: float64(w) / 2, cy: float64(h) / 2, far: math.Hypot(float64(w), float64(h)) / 2,
		barrel: m.Barrel, side: side,
	}
}

// at is the place on the screen that a pixel sees, 0–1.
func (p *pose) at(x, y float64) (u, v float64) {
	if p.barrel != 0 {
		dx, dy := (x-p.cx)/p.far, (y-p.cy)/p.far
		f := 1 + p.barrel*(dx*dx+dy*dy)
		x, y = p.cx+dx*f*p.far, p.cy+dy*f*p.far
	}
	w := p.h[6]*x + p.h[7]*y + p.h[8]
	return (p.h[0]*x + p.h[1]*y + p.h[2]) / w, (p.h[3]*x + p.h[4]*y + p.h[5]) / w
}

// quadToSquare is the homography from a quadrilateral to the unit square
// (Heckbert, Fundamentals of Texture Mapping, 1989).
func quadToSquare(q [4][2]float64) [9]float64 {
	dx1, dx2, dx3 := q[1][0]-q[2][0], q[3][0]-q[2][0], q[0][0]-q[1][0]+q[2][0]-q[3][0]
	dy1, dy2, dy3 := q[1][1]-q[2][1], q[3][1]-q[2][1], q[0][1]-q[1][1]+q[2][1]-q[3][1]
	det := dx1*dy2 - dx2*dy1
	g, h := (dx3*dy2-dx2*dy3)/det, (dx1*dy3-dx3*dy1)/det
	a, b, c := q[1][0]-q[0][0]+g*q[1][0], q[3][0]-q[0][0]+h*q[3][0], q[0][0]
	d, e, f := q[1][1]-q[0][1]+g*q[1][1], q[3][1]-q[0][1]+h*q[3][1], q[0][1]
	return [9]float64{ // the adjoint of a b c / d e f / g h 1
		e - f*h, c*h - b, b*f - c*e,
		f*g - d, a - c*g, c*d - a*f,
		d*h - e*g, b*g - a*h, a*e - b*d,
	}
}
