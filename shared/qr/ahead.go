package qr

import "runtime"

// Ahead encodes an endless stream of parts on all cores, ahead of whoever shows
// it: a large symbol takes longer to encode than to show.
type Ahead struct {
	queue chan chan encoded
	stop  chan struct{}
}

type encoded struct {
	m   Matrix
	err error
}

// NewAhead starts encoding what next returns. Only one goroutine calls next.
// Every symbol has the given version, or more where it does not fit. Close it.
func NewAhead(next func() string, version int) *Ahead {
	a := &Ahead{make(chan chan encoded, 2*runtime.GOMAXPROCS(0)), make(chan struct{})}
	go a.feed(next, version)
	return a
}

func (a *Ahead) feed(next func() string, version int) {
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for {
		result := make(chan encoded, 1)
		select {
		case a.queue <- result:
		case <-a.stop:
			return
		}
		content := next()
		slots <- struct{}{}
		go func() {
			m, err := Encode(content, version)
			result <- encoded{m, err}
			<-slots
		}()
	}
}

// Next returns the next symbol, in the order of the parts.
func (a *Ahead) Next() (Matrix, error) {
	r := <-<-a.queue
	return r.m, r.err
}

// Close ends encoding. Next must not be called after it.
func (a *Ahead) Close() { close(a.stop) }
