// Package interop reads what other programs ask a signer in formats of their own,
// and answers in them.
package interop

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/offline"
	"coldkms/offline/sign"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/psbt"
)

// psbtTag keeps the digest of a PSBT apart from those of requests.
const psbtTag = "coldkms psbt v1\n"

// JudgePSBT reads a plain PSBT as a Request of one item that nobody signed,
// and judges it by the same rules. Its pending id is made from the
// transaction; the keys are those of this wallet that can sign. only says for
// which chain it is, where the wallet has its keys for several. The answer is
// the finalised PSBT, from which any PSBT program extracts the transaction.
//
// An error is about the file, or about the choice of a chain; what is wrong
// with the transaction is a refusal of its item.
func JudgePSBT(s *offline.Session, file []byte, only chain.ID) (*offline.Judged, error) {
	if s.Unsettled != nil {
		return nil, s.Unsettled
	}
	packet, err := psbt.Decode(file)
	if err != nil {
		return nil, err
	}
	content, refusal := packet.Content()
	at, keys, err := owners(s, content.Scripts, packet.Origins(), only)
	if err != nil {
		return nil, err
	}
	if refusal == nil {
		refusal = packet.FitsChain(at.Chain)
	}
	item := bundle.Item{
		ID: fmt.Sprintf("%s%.24s", offline.UnaskedPrefix, packet.UnsignedID()), Family: utxo.Name, Coin: at,
		Tx: content.Tx, Context: content.Context, Keys: keys,
	}
	u := offline.Unasked{Item: item, Parts: content.Previous, Named: named(s, at, packet.OutputOrigins()), Err: refusal, Answer: func(done sign.Signed) ([]byte, error) { return answer(packet, done) }}
	if refusal != nil {
		id := packet.UnsignedID()
		item.Tx = id[:] // content stops at what is wrong: the digest is of the transaction alone
	}
	u.Digest = digestOf(item, content.Previous)
	j, err := s.JudgeUnasked(u)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", psbt.ErrInvalid, err)
	}
	return j, nil
}

// digestOf is over everything that is judged: chain, network, transaction,
// what it spends and the proofs.
func digestOf(item bundle.Item, previous [][]byte) bundle.Digest {
	h := sha256.New()
	h.Write([]byte(psbtTag))
	for _, part := range append([][]byte{{byte(item.Network)}, []byte(item.Chain), item.Tx, item.Context}, previous...) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write(part)
	}
	return bundle.Digest(h.Sum(nil))
}

func answer(packet *psbt.Packet, done sign.Signed) ([]byte, error) {
	var final wire.MsgTx
	if err := final.Deserialize(bytes.NewReader(done.Raw)); err != nil {
		return nil, fmt.Errorf("signed transaction: %w", err)
	}
	if err := packet.Finalize(&final); err != nil {
		return nil, err
	}
	return packet.Encode()
}
