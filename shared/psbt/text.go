package psbt

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"coldkms/shared/textfile"
)

// Is reports whether a file is a PSBT by its first bytes: binary, or in base64
// or hex as text of any sort (UTF-8 or UTF-16, with or without a byte order
// mark, quoted, wrapped).
func Is(file []byte) bool {
	if isBinary(file) {
		return true
	}
	text := textfile.Letters(file[:min(len(file), 256)])
	return bytes.HasPrefix(text, []byte("cHNidP")) || bytes.HasPrefix(bytes.ToLower(text), []byte("70736274ff"))
}

func binaryOf(file []byte) ([]byte, error) {
	if len(file) > 4*MaxFile { // hex in UTF-16
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrInvalid, len(file), MaxFile)
	}
	if isBinary(file) {
		return bounded(file) // every byte counts
	}
	text := textfile.Letters(file)
	if b, err := hex.DecodeString(string(text)); err == nil && isBinary(b) {
		return bounded(b)
	}
	b, err := base64.StdEncoding.Strict().DecodeString(string(text))
	switch {
	case err == nil && isBinary(b):
		return bounded(b)
	case bytes.HasPrefix(text, []byte("cHNidP")):
		return nil, fmt.Errorf(
			"%w: it begins as a PSBT in base64, and is damaged or cut short: have it written again",
			ErrInvalid,
		)
	case bytes.HasPrefix(bytes.ToLower(text), []byte("70736274ff")):
		return nil, fmt.Errorf(
			"%w: it begins as a PSBT in hex, and is damaged or cut short: have it written again",
			ErrInvalid,
		)
	}
	return nil, fmt.Errorf("%w: neither PSBT nor PSBT in base64 or hex", ErrInvalid)
}

func bounded(b []byte) ([]byte, error) {
	if len(b) > MaxFile {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrInvalid, len(b), MaxFile)
	}
	return b, nil
}
