package qrcli

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"coldkms/cmd/internal/cli"
	"coldkms/shared/bundle"
	"coldkms/shared/transport"
	"coldkms/shared/transport/plain"
)

// Ending returns the ending of the file name of a payload, by its first bytes, or
// "" for what neither program reads.
func Ending(p transport.Payload) string {
	switch {
	case (p.Kind == transport.PSBT || p.Kind == transport.Bytes) && plain.TypeOf(p.Bytes) == plain.PSBT:
		return ".psbt"
	case p.Kind == transport.Transaction && plain.TypeOf(p.Bytes) == plain.Transaction:
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

// Showable returns nil for a file that one program shows to the other, or to
// another wallet. Everything else stays where it is: it may be a password, or
// words.
func Showable(file []byte) error {
	if Ending(transport.Payload{Kind: KindOf(file), Bytes: file}) != "" {
		return nil
	}
	return cli.Fail(cli.BadBundle, errors.New("it is no file of Coldkms and no PSBT, so it is not shown"),
		"show takes a *.kmsreq, *.kmsres, *.kmswatch, *.kmsid, *.kmsapproval or *.psbt (not as hex or base64)")
}

// Name returns a file name for a payload, by its content.
func Name(p transport.Payload) string {
	sum := sha256.Sum256(p.Bytes)
	return fmt.Sprintf("coldkms-scan-%x%s", sum[:4], Ending(p))
}

// KindOf returns the kind that a file travels as.
func KindOf(file []byte) transport.Kind {
	if plain.TypeOf(file) == plain.PSBT {
		return transport.PSBT
	}
	return transport.Bytes
}
