package wallet

import (
	"fmt"
	"io"
)

// NewID makes a signature id: a random UUID (RFC 9562, version 4). These few
// lines are our own because the usual library brings code that asks the system
// for network interfaces, which the signer must not even contain.
func (w *Wallet) NewID() (string, error) {
	var u [16]byte
	if _, err := io.ReadFull(w.random, u[:]); err != nil {
		return "", fmt.Errorf("new signature id: %w", err)
	}
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:]), nil
}
