package wallet

import (
	"crypto/hmac"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

// seal encrypts a body under a password with fresh salt and nonce. It also
// gives the keys, so that what is read back can be checked without paying
// for them again; the caller wipes them.
func seal(body, password []byte, cost Cost, random io.Reader) ([]byte, keys, error) {
	if len(body) > MaxSize-headerSize-chacha20poly1305.Overhead {
		return nil, keys{}, fmt.Errorf("wallet of %d bytes is too large", len(body))
	}
	if err := cost.check(); err != nil {
		return nil, keys{}, err
	}
	h := header{cost: cost, body: uint32(len(body) + chacha20poly1305.Overhead)}
	for _, b := range [][]byte{h.salt[:], h.nonce[:]} {
		if _, err := io.ReadFull(random, b); err != nil {
			return nil, keys{}, err
		}
	}
	k, err := cost.derive(password, h.salt[:])
	if err != nil {
		return nil, keys{}, err
	}
	aead, err := chacha20poly1305.NewX(k.body[:])
	if err != nil {
		return nil, keys{}, err
	}
	head := h.encode(&k)
	file := append(make([]byte, 0, len(head)+int(h.body)), head...)
	return aead.Seal(file, h.nonce[:], body, head), k, nil
}

// unseal decrypts a file with a password.
func unseal(file, password []byte) (body []byte, cost Cost, err error) {
	h, err := parseHeader(file)
	if err != nil {
		return nil, Cost{}, err
	}
	k, err := h.cost.derive(password, h.salt[:])
	if err != nil {
		return nil, Cost{}, err
	}
	defer k.wipe()
	body, err = h.open(file, &k)
	return body, h.cost, err
}

// open decrypts with keys that are there already.
func (h header) open(file []byte, k *keys) ([]byte, error) {
	if !hmac.Equal(headerMAC(k, file[:atMAC]), file[atMAC:atSum]) {
		return nil, ErrWrongPassword
	}
	aead, err := chacha20poly1305.NewX(k.body[:])
	if err != nil {
		return nil, err
	}
	body, err := aead.Open(nil, h.nonce[:], file[headerSize:], file[:headerSize])
	if err != nil {
		return nil, fmt.Errorf("%w: the password is right, the content is not what was written", ErrDamaged)
	}
	return body, nil
}
