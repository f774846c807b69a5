package offline

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/psbt"
)

// psbtTag keeps the digest of a PSBT apart from those of requests.
const psbtTag = "coldkms psbt v1\n"

// psbtPrefix begins the pending ids of PSBTs.
const psbtPrefix = "psbt-"

// JudgePSBT reads a plain PSBT as a Request of one item that nobody signed,
// and judges it by the same rules. Its pending id is made from the
// transaction; the keys are those of this wallet that can sign. only says for
// which chain it is, where the wallet has its keys for several.
//
// An error is about the file, or about the choice of a chain; what is wrong
// with the transaction is a refusal of its item.
func (s *Session) JudgePSBT(file []byte, only chain.ID) (*Judged, error) {
	if s.Unsettled != nil {
		return nil, s.Unsettled
	}
	packet, err := psbt.Decode(file)
	if err != nil {
		return nil, err
	}
	content, refusal := packet.Content()
	at, keys, err := s.owners(content.Scripts, packet.Origins(), only)
	if err != nil {
		return nil, err
	}
	item := bundle.Item{
		ID: fmt.Sprintf("%s%.24s", psbtPrefix, packet.UnsignedID()), Family: utxo.Name, Coin: at,
		Tx: content.Tx, Context: content.Context, Keys: keys,
	}
	request := bundle.SealedRequest{Request: bundle.Request{Items: []bundle.Item{item}, Attachments: bundle.AttachmentsOf(utxo.Name, content.Previous)}}
	if refusal != nil {
		id := packet.UnsignedID()
		item.Tx = id[:] // content stops at what is wrong: the digest is of the transaction alone
	}
	request.Digest = psbtDigest(item, content.Previous)
	opened, err := s.open(request.Request)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", psbt.ErrInvalid, err)
	}
	j := &Judged{Request: request, packet: packet, items: make([]judgedItem, 1), opened: opened}
	if refusal != nil {
		j.items[0].err = refusal
		j.Batch = s.describe(j)
		return j, nil
	}
	s.judge(j)
	return j, nil
}

// psbtDigest is over everything that is judged: chain, network, transaction,
// what it spends and the proofs.
func psbtDigest(item bundle.Item, previous [][]byte) bundle.Digest {
	h := sha256.New()
	h.Write([]byte(psbtTag))
	for _, part := range append([][]byte{{byte(item.Network)}, []byte(item.Chain), item.Tx, item.Context}, previous...) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write(part)
	}
	return bundle.Digest(h.Sum(nil))
}

// IsPSBT reports whether this came from JudgePSBT.
func (j *Judged) IsPSBT() bool { return j.packet != nil }

// SignedPSBT returns the finalised PSBT of what was signed, from which any PSBT
// program extracts the transaction, or nil if it was refused.
func (j *Judged) SignedPSBT(done Signatures) ([]byte, error) {
	if len(done.Outcomes) != 1 || done.Outcomes[0].Err != nil {
		return nil, nil
	}
	var final wire.MsgTx
	if err := final.Deserialize(bytes.NewReader(done.Outcomes[0].Signed.Raw)); err != nil {
		return nil, fmt.Errorf("offline: signed transaction: %w", err)
	}
	if err := j.packet.Finalize(&final); err != nil {
		return nil, err
	}
	return j.packet.Encode()
}
