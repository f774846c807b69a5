// Package psbt turns items of a Request into PSBTs (BIP 174) and takes what a
// signer made of them. shared/psbt is the encoding itself.
package psbt

import (
	"fmt"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/interop"
	"coldkms/shared/psbt"
)

// Format implements interop.Format.
type Format struct {
	Masters map[string]psbt.Fingerprint // of the master keys behind signature ids, where they are known
}

// For implements interop.Format.
func (Format) For(id chain.ID) error {
	if psbt.For(id) {
		return nil
	}
	return chain.Refuse(chain.UnsupportedChain, "PSBT is not for %s: export it without --psbt, for kms-offline", id)
}

// Read implements interop.Format. Errors have psbt.ErrInvalid in their chain.
func (Format) Read(file []byte) (interop.Answer, error) {
	if !psbt.Is(file) {
		return nil, nil
	}
	p, err := psbt.Decode(file)
	if err != nil {
		return nil, err
	}
	return answer{p}, nil
}

// answer implements interop.Answer.
type answer struct{ *psbt.Packet }

// UnsignedID implements interop.Answer.
func (a answer) UnsignedID() string { return a.Packet.UnsignedID().String() }

// Signed implements interop.Answer.
func (a answer) Signed() bool { return !a.Unsigned() }

// exchange implements interop.Exchange.
type exchange struct {
	table    *utxo.Table
	previous [][]byte
	origins  *origins
}

// Family implements interop.Format.
func (Format) Family() string { return utxo.Name }

// Open implements interop.Format.
func (f Format) Open(parts [][]byte, entries []bundle.WatchEntry) (interop.Exchange, error) {
	table, err := utxo.NewTable(parts)
	if err != nil {
		return nil, err
	}
	from, err := originsOf(entries, f.Masters)
	if err != nil {
		return nil, err
	}
	return exchange{table, parts, from}, nil
}

// Write implements interop.Exchange.
func (x exchange) Write(it bundle.Item) (name string, file []byte, err error) {
	tx, err := utxo.Decode(it.Coin, it.Tx, it.Context, x.table)
	if err != nil {
		return "", nil, err
	}
	named, err := x.origins.of(it.Keys)
	if err != nil {
		return "", nil, err
	}
	packet, err := psbt.Make(tx, x.table, x.previous, named)
	if err != nil {
		return "", nil, err
	}
	if file, err = packet.Encode(); err != nil {
		return "", nil, err
	}
	if len(file) > psbt.MaxFile {
		return "", nil, chain.Refuse(chain.Malformed, "as a PSBT it has %d bytes, at most %d are read: export it without --psbt", len(file), psbt.MaxFile)
	}
	return fileName(it, packet.Paid()), file, nil
}

// fileName tells a person which transaction, and how much it pays to others.
func fileName(it bundle.Item, paid int64) string {
	const unit = 100_000_000
	return fmt.Sprintf("coldkms-%s-%d.%08d%s.psbt", it.ID, paid/unit, paid%unit, it.Chain)
}

// Finish implements interop.Exchange.
func (x exchange) Finish(it bundle.Item, a interop.Answer) (raw []byte, txid string, err error) {
	tx, err := utxo.Decode(it.Coin, it.Tx, it.Context, x.table)
	if err != nil {
		return nil, "", err
	}
	msg, err := a.(answer).Finished(tx)
	if err != nil {
		return nil, "", err
	}
	final, err := tx.Adopt(msg)
	return final.Raw, final.TxID, err
}
