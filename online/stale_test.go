package online_test

import (
	"testing"

	"coldkms/online"
)

// A completed payment that the network does not have any more is not told as
// completed, whether that is found before it is listed or after, and told once it is
// back.
func TestMissingIsNotTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(nil, 1)
	w.broadcast()
	untold := func() []online.News {
		w.Helper()
		list, err := with(w, func(r *online.Relay) ([]online.News, error) { return r.Untold(w.Context(), 10) })
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	listed := untold()
	if len(listed) != 1 || listed[0].Event != "completed" {
		t.Fatalf("%+v", listed)
	}
	still := func() bool {
		w.Helper()
		is, err := with(w, func(r *online.Relay) (bool, error) {
			_, is, err := r.Still(w.Context(), listed[0].Status)
			return is, err
		})
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	raw := w.signedHex(id(1))
	w.server.Forget(w.status(id(1)).TxID)
	w.answers(map[string]string{"POST /v3/bitcoin/broadcast": conflict})
	w.watch()
	if list := untold(); len(list) != 0 || still() {
		t.Errorf("it is gone: %+v", list)
	}
	w.server.Chain(raw)
	w.watch()
	if list := untold(); len(list) != 1 || !still() {
		t.Errorf("it is back: %+v", list)
	}
}
