package qrcli

import (
	"errors"
	"image"
	"io"
	"runtime"
	"sync"

	"coldkms/shared/capture"
)

// Reader finds the symbols of a picture. It is used by one goroutine.
type Reader interface {
	Read(*image.Gray) []string
}

// pool reads pictures on all cores. From a live source it never lags: a picture
// that comes while all cores are busy is dropped, since the next one shows much
// the same. Of a source that waits, such as a folder, every picture is read.
type pool struct {
	live  bool
	work  chan numberedPicture
	texts chan found
	stop  chan struct{}
	spare sync.Pool
	err   error // of the source, once texts is closed
}

// numberedPicture is a picture and its number, from 0, in the order of the source.
type numberedPicture struct {
	*image.Gray
	number int
}

// queue puts what was read back into the order of the pictures.
type queue struct {
	early map[int]found
	want  int
}

// next takes what was read of a picture, and returns what can be taken now.
func (q *queue) next(f found) (list []found) {
	q.early[f.number] = f
	for {
		f, there := q.early[q.want]
		if !there {
			return list
		}
		delete(q.early, q.want)
		q.want++
		list = append(list, f)
	}
}

// found is what was read of one picture.
type found struct {
	number int
	texts  []string
	pixels int
}

// maxBad is how many pictures in a row may be unreadable.
const maxBad = 1000

// newPool starts reading. Texts of each picture come out of p.texts, which is
// closed at the end of the source; p.err then says why it ended.
func newPool(src capture.Source, reader func() Reader, live bool) *pool {
	n := runtime.GOMAXPROCS(0)
	p := &pool{live: live, work: make(chan numberedPicture, n), texts: make(chan found, n), stop: make(chan struct{})}
	var readers sync.WaitGroup
	for range n {
		r := reader()
		readers.Go(func() { p.read(r) })
	}
	go func() {
		p.err = p.feed(src)
		close(p.work)
		readers.Wait()
		close(p.texts)
	}()
	return p
}

// feed copies pictures, which belong to the source until the next, and hands
// them out.
func (p *pool) feed(src capture.Source) error {
	bad, number := 0, 0
	for {
		img, err := src.Next()
		switch {
		case errors.Is(err, capture.ErrFormat) || errors.Is(err, capture.ErrSize):
			if bad++; bad > maxBad {
				return err
			}
			continue // one bad picture says nothing of the next
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		bad = 0
		own := numberedPicture{p.copyOf(img), number}
		if p.live {
			select {
			case p.work <- own:
				number++
			case <-p.stop:
				return nil
			default:
				p.spare.Put(own.Gray)
			}
			continue
		}
		select {
		case p.work <- own:
			number++
		case <-p.stop:
			return nil
		}
	}
}

func (p *pool) copyOf(img *image.Gray) *image.Gray {
	own, _ := p.spare.Get().(*image.Gray)
	w, h := img.Rect.Dx(), img.Rect.Dy()
	if own == nil || cap(own.Pix) < w*h {
		own = image.NewGray(image.Rect(0, 0, w, h))
	}
	own.Pix, own.Stride, own.Rect = own.Pix[:w*h], w, image.Rect(0, 0, w, h)
	for y := range h {
		copy(own.Pix[y*w:(y+1)*w], img.Pix[img.PixOffset(img.Rect.Min.X, img.Rect.Min.Y+y):])
	}
	return own
}

func (p *pool) read(r Reader) {
	for img := range p.work {
		seen := found{number: img.number, texts: r.Read(img.Gray), pixels: len(img.Pix)}
		p.spare.Put(img.Gray)
		select {
		case p.texts <- seen:
		case <-p.stop:
			return
		}
	}
}

// end stops the readers. A source that hangs, such as a silent pipe, is left
// hanging: the program ends soon.
func (p *pool) end() { close(p.stop) }
