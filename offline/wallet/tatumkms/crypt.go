// Package tatumkms reads wallet.dat of Tatum KMS and turns it into entries of
// our wallet, under the same signature ids.
//
// The file is what CryptoJS.AES.encrypt(json, password) gives: base 64 of
// "Salted__", eight bytes of salt and the AES-256-CBC ciphertext with PKCS #7
// padding, key and IV by OpenSSL's EVP_BytesToKey with one round of MD5. (KMS's
// README speaks of GCM; that is not what it does.) There is no checksum: a
// wrong password and a damaged file are told apart by what comes out, and an
// altered one may decrypt. So nothing is believed: each extended public key is
// derived again and compared, each private key must carry a right checksum.
package tatumkms

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Errors about a whole file.
var (
	ErrNotTatum      = errors.New("not a wallet of Tatum KMS")
	ErrEmpty         = errors.New("no wallets in it")
	ErrWrongPassword = errors.New("wrong password, or the file is damaged")
	ErrDamaged       = errors.New("the password is right, but the file is damaged")
)

// MaxSize bounds a wallet.dat in bytes: 25,000 mnemonics take about 12 MB.
const MaxSize = 64 << 20

const (
	salted   = "Salted__"
	saltSize = 8
	keySize  = 32
)

// Is reports whether a file looks like a wallet of Tatum KMS.
func Is(file []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(file), []byte("U2FsdGVkX1"))
}

// decrypt returns the JSON of a wallet.dat. The caller wipes it.
func decrypt(file, password []byte) ([]byte, error) {
	text := bytes.TrimSpace(file) // an editor may have added a line feed
	switch {
	case len(file) > MaxSize:
		return nil, fmt.Errorf("%w: it has %d bytes, at most %d are read", ErrNotTatum, len(file), MaxSize)
	case len(text) == 0:
		return nil, ErrEmpty
	}
	raw, err := base64.StdEncoding.Strict().AppendDecode(nil, text)
	if err != nil {
		return nil, fmt.Errorf("%w: it is not base 64", ErrNotTatum)
	}
	if !bytes.HasPrefix(raw, []byte(salted)) || len(raw) < len(salted)+saltSize {
		return nil, fmt.Errorf("%w: it does not start with %q and a salt", ErrNotTatum, salted)
	}
	salt, body := raw[len(salted):len(salted)+saltSize], raw[len(salted)+saltSize:]
	if len(body) == 0 || len(body)%aes.BlockSize != 0 {
		return nil, fmt.Errorf("%w: it is cut off", ErrWrongPassword)
	}
	key, iv := keyOf(password, salt)
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(body, body)
	plain, ok := unpad(body)
	if !ok || !utf8.Valid(plain) {
		defer clear(body)
		return nil, blame(body)
	}
	return plain, nil
}

// blame tells a damaged file from a wrong password: with a wrong one the text
// starts like a wallet once in 65,536 times.
func blame(plain []byte) error {
	if bytes.HasPrefix(plain, []byte(`{"`)) {
		return ErrDamaged
	}
	return ErrWrongPassword
}

// keyOf is EVP_BytesToKey with MD5 and one round: MD5 over the block before,
// the password and the salt, until there are bytes enough.
func keyOf(password, salt []byte) (key, iv []byte) {
	var out, last []byte
	for len(out) < keySize+aes.BlockSize {
		h := md5.New()
		h.Write(last)
		h.Write(password)
		h.Write(salt)
		last = h.Sum(nil)
		out = append(out, last...)
	}
	return out[:keySize], out[keySize : keySize+aes.BlockSize]
}

// unpad takes PKCS #7 padding off, if that is what it is.
func unpad(b []byte) ([]byte, bool) {
	n := int(b[len(b)-1])
	if n < 1 || n > aes.BlockSize || n > len(b) {
		return nil, false
	}
	for _, c := range b[len(b)-n:] {
		if int(c) != n {
			return nil, false
		}
	}
	return b[:len(b)-n], true
}
