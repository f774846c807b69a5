package frametest

import (
	"image"
	"math"
	"math/rand/v2"
)

// project lets rows from–to of the film see the screen; around it is a desk.
func (f *film) project(p pose, screen *image.Gray, from, to int) {
	const desk = 0.55
	for y := from; y < to; y++ {
		for x := range f.w {
			var sum float32
			for k := range 4 { // four rays a pixel
				u, v := p.at(float64(x)+float64(k&1)/2-0.25, float64(y)+float64(k>>1)/2-0.25)
				sum += seen(screen, u, v, desk)
			}
			f.at[y*f.w+x] = sum / 4
		}
	}
}

func seen(screen *image.Gray, u, v float64, outside float32) float32 {
	if u < 0 || v < 0 || u >= 1 || v >= 1 {
		return outside
	}
	x, y := int(u*float64(screen.Rect.Dx())), int(v*float64(screen.Rect.Dy()))
	return float32(screen.Pix[y*screen.Stride+x]) / 255
}

// moire multiplies a wave of a few pixels onto the picture.
func (f *film) moire(rnd *rand.Rand, strength float64) {
	sin, cos := math.Sincos(rnd.Float64() * math.Pi)
	k := 2 * math.Pi / (4 + 12*rnd.Float64())
	for y := range f.h {
		for x := range f.w {
			f.at[y*f.w+x] *= float32(1 - strength*(0.5+0.5*math.Sin(k*(cos*float64(x)+sin*float64(y)))))
		}
	}
}

// gauss blurs, first rows, then columns.
func (f *film) gauss(sigma float64) {
	if sigma <= 0 {
		return
	}
	r := int(math.Ceil(3 * sigma))
	kernel := make([]float32, 2*r+1)
	var sum float32
	for i := range kernel {
		d := float64(i-r) / sigma
		kernel[i] = float32(math.Exp(-d * d / 2))
		sum += kernel[i]
	}
	for i := range kernel {
		kernel[i] /= sum
	}
	out := make([]float32, len(f.at))
	for y := range f.h {
		convolve(out[y*f.w:], f.at[y*f.w:], 1, f.w, kernel)
	}
	for x := range f.w {
		convolve(f.at[x:], out[x:], f.w, f.h, kernel)
	}
}

func convolve(out, in []float32, step, n int, kernel []float32) {
	r := len(kernel) / 2
	for i := range n {
		var sum float32
		for k, w := range kernel {
			sum += w * in[min(max(i+k-r, 0), n-1)*step]
		}
		out[i*step] = sum
	}
}

// smear is the mean along a way that the camera moves.
func (f *film) smear(angle, length float64) {
	if length <= 0 {
		return
	}
	sin, cos := math.Sincos(angle)
	n := int(math.Ceil(length * 2))
	out := make([]float32, len(f.at))
	for k := range n + 1 {
		d := length * (float64(k)/float64(n) - 0.5)
		dx, dy := d*cos, d*sin
		for y := range f.h {
			for x := range f.w {
				out[y*f.w+x] += f.between(float64(x)+dx, float64(y)+dy) / float32(n+1)
			}
		}
	}
	f.at = out
}

// between is the brightness between pixels.
func (f *film) between(x, y float64) float32 {
	x, y = min(max(x, 0), float64(f.w)-1.001), min(max(y, 0), float64(f.h)-1.001)
	i := int(y)*f.w + int(x)
	fx, fy := float32(x-math.Floor(x)), float32(y-math.Floor(y))
	return (f.at[i]*(1-fx)+f.at[i+1]*fx)*(1-fy) + (f.at[i+f.w]*(1-fx)+f.at[i+f.w+1]*fx)*fy
}

// light sets contrast and brightness, uneven over the picture, darker at its
// corners, and burns a spot in.
func (f *film) light(rnd *rand.Rand, m Model) {
	gx, gy := 0.25*(rnd.Float64()-0.5), 0.25*(rnd.Float64()-0.5)
	wave, phase := 2+4*rnd.Float64(), 6*rnd.Float64()
	sx, sy := 0.3+0.4*rnd.Float64(), 0.3+0.4*rnd.Float64()
	for y := range f.h {
		v := float64(y) / float64(f.h)
		band := 0.05 * math.Sin(wave*2*math.Pi*v+phase)
		for x := range f.w {
			u := float64(x) / float64(f.w)
			b := 1 - m.Contrast*(1-float64(f.at[y*f.w+x]))
			dx, dy := u-0.5, v-0.5
			b *= m.Light * (1 + gx*dx*2 + gy*dy*2 + band - m.Vignette*2*(dx*dx+dy*dy))
			if m.Glare > 0 {
				dx, dy = (u-sx)*float64(f.w)/float64(f.h), v-sy
				b += m.Glare * math.Exp(-(dx*dx+dy*dy)/(2*0.05*0.05))
			}
			f.at[y*f.w+x] = float32(min(max(b, 0), 1))
		}
	}
}
