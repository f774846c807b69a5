package daemon_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/online"
	"coldkms/online/journal"
)

// shake makes a block more, or takes the newest ones away. Some of the payments
// in them are lost then.
func (s *storm) shake() {
	s.mu.Lock()
	dig := s.random.IntN(3) == 0 && s.height-2 > s.highest-demanded // deeper than is demanded, nobody promises anything
	if dig {
		s.height = max(0, s.height-2)
	}
	s.mu.Unlock()
	if !dig {
		s.mine(1)
		return
	}
	ours := make(map[string]bool)
	for _, raw := range s.server.Sent() {
		ours[txidOf(raw)] = true
	}
	for _, txid := range s.server.Reorganise(2) {
		if ours[txid] && s.n(2) == 0 {
			s.server.Forget(txid)
			s.mu.Lock()
			s.lost++
			s.mu.Unlock()
		}
	}
}

func (s *storm) mine(n int64) {
	s.mu.Lock()
	s.height += n
	s.highest = max(s.highest, s.height)
	s.mu.Unlock()
	s.server.Mine(n)
}

func txidOf(raw string) string {
	b, _ := hex.DecodeString(raw)
	var msg wire.MsgTx
	if msg.Deserialize(bytes.NewReader(b)) != nil {
		return ""
	}
	return msg.TxHash().String()
}

// noneDead checks that no payment of the house is called dead, those of earlier
// schedules among them, which are watched still.
func (s *storm) noneDead(t *testing.T) {
	s.relay(func(r *online.Relay) error {
		dead, _, err := r.StatusPage(t.Context(), online.StatusOptions{States: []journal.State{journal.Failed}})
		for _, st := range dead {
			t.Errorf("I9: the chain has it or gets it, and %s is called dead: %+v", st.ID, st)
		}
		if len(dead) > 0 {
			t.FailNow()
		}
		return err
	})
}

// demanded is how many confirmations the relay waits for on BTC.
const demanded = 6

// confirm has every payment of the house confirmed, on a chain that is
// reorganised at first, and checks all the way that none is called dead.
func (s *storm) confirm(t *testing.T) {
	s.mu.Lock()
	s.rate = 0
	s.mu.Unlock()
	for turn := 0; ; turn++ {
		if turn < 12 {
			s.shake()
		} else {
			s.mine(2)
		}
		if _, err := s.d.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		left := 0
		for _, id := range s.ids {
			st := s.known(id)
			if st.State == "failed" || strings.Contains(st.Reason, "have the payment made anew") {
				t.Fatalf("I9: the chain has it or gets it, and %s is called dead: %+v", id, st)
			}
			if st.State != "completed" || st.Depth < demanded || st.Code != "" {
				left++
			}
		}
		if left == 0 && turn >= 12 {
			break
		}
		if turn == 400 {
			t.Fatalf("%d of %d are not confirmed: %+v", left, len(s.ids), s.known(s.ids[0]))
		}
		time.Sleep(10 * time.Minute)
	}
	for _, id := range s.ids {
		if txid := s.known(id).TxID; s.server.Block(txid) == 0 {
			t.Errorf("%s is falsely confirmed: %s is in no block", id, txid)
		}
	}
}
