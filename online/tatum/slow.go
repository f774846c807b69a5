package tatum

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// A reply may take its time, but not for ever: a server that hangs or drips
// must not hold up a loop of the daemon.
const (
	perCall   = 30 * time.Second
	perSend   = 15 * time.Second // for a broadcast, which is looked for by its txid then
	perList   = 2 * time.Minute  // for a list of pending transactions
	slowTries = 2                // tries that end by the clock, after which there is no further one
	dripGrace = 10 * time.Second
	dripRate  = 4 << 10 // bytes a second that come at least, after that
)

// errDrip is why a reply was not read to its end.
var errDrip = errors.New("it comes too slowly")

// errCut is returned by a reply's body that could not be read to its end.
var errCut = errors.New("reply was cut")

// patience is how long one try of a call may take.
func (k call) patience() time.Duration {
	switch {
	case k.limit > maxReply:
		return perList
	case k.once:
		return perSend
	}
	return perCall
}

// drip reads a reply unless it comes too slowly.
type drip struct {
	io.ReadCloser
	now   func() time.Time
	begin time.Time
	n     int64
}

func (d *drip) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	d.n += int64(n)
	took := d.now().Sub(d.begin)
	if err == nil && took > dripGrace && d.n < int64(took/time.Second)*dripRate {
		err = fmt.Errorf("%w: %d bytes in %s", errDrip, d.n, took.Round(time.Second))
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", errCut, err)
	}
	return n, err
}

// IsSlow reports whether a call was ended by the clock.
func IsSlow(err error) bool {
	var e *Error
	return errors.As(err, &e) && !e.unsent && e.slow()
}

// slow reports whether a try was ended by the clock.
func (e *Error) slow() bool { return isTimeout(e.err) || errors.Is(e.err, errDrip) }
