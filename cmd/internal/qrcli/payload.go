package qrcli

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"coldkms/shared/bundle"
	"coldkms/shared/transport"
)

// Ending says by its first bytes what file a payload is, as the ending of its
// name; "" for what neither program reads.
func Ending(p transport.Payload) string {
	switch {
	case p.Kind == transport.PSBT, p.Kind == transport.Bytes && bytes.HasPrefix(p.Bytes, []byte("psbt\xff")):
		return ".psbt"
	case p.Kind == transport.Transaction:
		return ".txn"
	case p.Kind != transport.Bytes:
		return ""
	case bundle.IsWallet(p.Bytes): // it never crosses
		return ""
	case bytes.HasPrefix(p.Bytes, []byte("CKMSID")):
		return ".kmsid"
	case bytes.HasPrefix(p.Bytes, []byte("CKMSAPP")):
		return ".kmsapproval"
	case bytes.HasPrefix(p.Bytes, []byte("CKMS")) && len(p.Bytes) > 4:
		return map[byte]string{'Q': ".kmsreq", 'R': ".kmsres", 'W': ".kmswatch"}[p.Bytes[4]]
	}
	return ""
}

// Name returns a file name for a payload, by its content.
func Name(p transport.Payload) string {
	sum := sha256.Sum256(p.Bytes)
	return fmt.Sprintf("coldkms-scan-%x%s", sum[:4], Ending(p))
}

// KindOf says as what a file travels.
func KindOf(file []byte) transport.Kind {
	if bytes.HasPrefix(file, []byte("psbt\xff")) {
		return transport.PSBT
	}
	return transport.Bytes
}
