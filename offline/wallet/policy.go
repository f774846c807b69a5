package wallet

import (
	"bytes"
	"fmt"
)

// Policy is the policy in its own encoding, or nil if none was set.
func (w *Wallet) Policy() []byte {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return bytes.Clone(w.policy)
}

// SetPolicy puts a policy in the place of the one before.
func (w *Wallet) SetPolicy(encoded []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return ErrClosed
	}
	if len(encoded) == 0 || len(encoded) > maxPolicy {
		return fmt.Errorf("set policy: %d bytes; at most %d, and some", len(encoded), maxPolicy)
	}
	w.policy = bytes.Clone(encoded)
	return nil
}
