package hd

import (
	"errors"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// ErrPassphrase says that what was typed is no text.
var ErrPassphrase = errors.New("the passphrase is not text in UTF-8")

// Passphrase brings a BIP 39 passphrase into the form that is stored (NFKD),
// so that the same passphrase typed on another keyboard is the same. Nothing
// typed is no passphrase: nil. The caller wipes it.
func Passphrase(typed []byte) ([]byte, error) {
	if len(typed) == 0 {
		return nil, nil
	}
	if !utf8.Valid(typed) {
		return nil, ErrPassphrase
	}
	return norm.NFKD.Append(make([]byte, 0, 2*len(typed)), typed...), nil
}
