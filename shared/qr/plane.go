package qr

// plane is a gray picture. Planes may share memory.
type plane struct {
	pix          []byte
	w, h, stride int
}

// resize gives a plane its own memory, reusing what it has.
func (p *plane) resize(w, h int) {
	if cap(p.pix) < w*h {
		p.pix = make([]byte, w*h)
	}
	p.pix, p.w, p.h, p.stride = p.pix[:w*h], w, h, w
}

// at is the brightness between pixels, in 1/256 of a step: 0–65280. Outside it
// is that of the border.
func (p *plane) at(x, y float64) int {
	fx, fy := int(x*256), int(y*256)
	fx = min(max(fx, 0), (p.w-1)<<8-1)
	fy = min(max(fy, 0), (p.h-1)<<8-1)
	i := fy>>8*p.stride + fx>>8
	a, b := p.pix[i:i+2:i+2], p.pix[i+p.stride:i+p.stride+2]
	fx, fy = fx&255, fy&255
	top := int(a[0])<<8 + (int(a[1])-int(a[0]))*fx
	low := int(b[0])<<8 + (int(b[1])-int(b[0]))*fx
	return top + (low-top)*fy>>8
}

// half makes p the picture src at half its size.
func (p *plane) half(src *plane) {
	p.resize(src.w/2, src.h/2)
	for y := range p.h {
		a := src.pix[2*y*src.stride:][:2*p.w]
		b := src.pix[(2*y+1)*src.stride:][:2*p.w]
		out := p.pix[y*p.stride:][:p.w]
		for x := range out {
			out[x] = byte((int(a[2*x]) + int(a[2*x+1]) + int(b[2*x]) + int(b[2*x+1]) + 2) >> 2)
		}
	}
}

// smooth makes p the picture src under a 3×3 binomial. rows is scratch.
func (p *plane) smooth(src *plane, rows *[]uint16) {
	p.resize(src.w, src.h)
	w := src.w
	if cap(*rows) < w {
		*rows = make([]uint16, w)
	}
	sum := (*rows)[:w]
	for y := range src.h {
		a := src.pix[max(y-1, 0)*src.stride:][:w]
		b := src.pix[y*src.stride:][:w]
		c := src.pix[min(y+1, src.h-1)*src.stride:][:w]
		for x := range sum {
			sum[x] = uint16(a[x]) + 2*uint16(b[x]) + uint16(c[x])
		}
		out := p.pix[y*w:][:w]
		left, mid := sum[0], sum[0]
		for x := range w - 1 {
			right := sum[x+1]
			out[x] = byte((left + 2*mid + right + 8) >> 4)
			left, mid = mid, right
		}
		out[w-1] = byte((left + 3*mid + 8) >> 4)
	}
}

// invert makes p the negative of src.
func (p *plane) invert(src *plane) {
	p.resize(src.w, src.h)
	for y := range src.h {
		in, out := src.pix[y*src.stride:][:src.w], p.pix[y*p.w:][:p.w]
		for x, v := range in {
			out[x] = 255 - v
		}
	}
}

// contrasts hold for each block of 8×8 pixels the step of brightness that means
// something there: a share of the range within 5×5 blocks.
type contrasts struct {
	of        []byte
	w, h      int
	low, high []byte
}

// A step less than leastStep is noise wherever it is.
const leastStep = 8

func (c *contrasts) measure(p *plane, part byte) {
	c.w, c.h = (p.w+7)/8, (p.h+7)/8
	n := c.w * c.h
	if cap(c.of) < n {
		c.of, c.low, c.high = make([]byte, n), make([]byte, n), make([]byte, n)
	}
	c.of, c.low, c.high = c.of[:n], c.low[:n], c.high[:n]
	for by := range c.h {
		for bx := range c.w {
			c.low[by*c.w+bx], c.high[by*c.w+bx] = extremes(p, bx*8, by*8)
		}
	}
	c.widen(1, c.w, c.w, c.h) // along rows, then along columns
	c.widen(c.w, 1, c.h, c.w)
	for i, high := range c.high {
		c.of[i] = max((high-c.low[i])/part, leastStep)
	}
}

// widen sets each of n blocks, step apart, in so many lines to the extremes of
// itself and its two neighbours on either side.
func (c *contrasts) widen(step, next, n, lines int) {
	for line := range lines {
		low, high := c.low[line*next:], c.high[line*next:]
		var l, h [5]byte // a ring of the five, as they were
		for i := range l {
			k := min(max(i-2, 0), n-1) * step
			l[i], h[i] = low[k], high[k]
		}
		for i := range n {
			low[i*step] = min(l[0], l[1], l[2], l[3], l[4])
			high[i*step] = max(h[0], h[1], h[2], h[3], h[4])
			k := min(i+3, n-1) * step
			if i+3 < n {
				l[i%5], h[i%5] = low[k], high[k]
			} else {
				l[i%5], h[i%5] = l[(i+4)%5], h[(i+4)%5]
			}
		}
	}
}

// extremes are those of a block; of every second pixel, which is enough of them.
func extremes(p *plane, x, y int) (low, high byte) {
	w, h := min(8, p.w-x), min(8, p.h-y)
	low = 255
	for dy := 0; dy < h; dy += 2 {
		row := p.pix[(y+dy)*p.stride+x:][:w]
		for dx := (dy / 2) & 1; dx < w; dx += 2 {
			low, high = min(low, row[dx]), max(high, row[dx])
		}
	}
	return low, high
}

// at is the step at a pixel.
func (c *contrasts) at(x, y int) int {
	bx, by := min(max(x>>3, 0), c.w-1), min(max(y>>3, 0), c.h-1)
	return int(c.of[by*c.w+bx])
}
