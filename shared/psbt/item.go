package psbt

import (
	"bytes"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/psbt/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// Content is an unsigned packet in the form in which the family's transactions
// are judged: see utxo.Encode and utxo.Decode.
type Content struct {
	Tx       []byte
	Context  []byte
	Previous [][]byte // without witness, each once
	Scripts  [][]byte // what each input spends, proven or claimed
}

// Content takes the packet apart. What it says twice must be the same twice.
// Refusals: ForeignScript where an input is signed already, SighashNotAll,
// HashMismatch where a previous transaction is another one, AmountMismatch
// where witness_utxo contradicts it, UnprovenAmount where there is neither,
// Malformed where a redeem script is not the output's.
func (p *Packet) Content() (Content, error) {
	c := Content{Scripts: make([][]byte, len(p.raw.Inputs))}
	claims := make([]utxo.Claim, len(p.raw.Inputs))
	position := make(map[chainhash.Hash]int)
	carried, ids := p.carried()
	for i, in := range p.raw.Inputs {
		op := p.raw.UnsignedTx.TxIn[i].PreviousOutPoint
		id := ids[i]
		if in.NonWitnessUtxo == nil && in.WitnessUtxo != nil {
			in.NonWitnessUtxo, id = carried[op.Hash], op.Hash // what another input proves, this one cannot claim otherwise
		}
		out, err := spentBy(i, in, op, id)
		if err != nil {
			return c, err
		}
		c.Scripts[i], claims[i] = out.PkScript, utxo.Claim{Value: out.Value, Script: out.PkScript}
		if _, known := position[op.Hash]; known || in.NonWitnessUtxo == nil {
			continue
		}
		var b bytes.Buffer
		if err := in.NonWitnessUtxo.SerializeNoWitness(&b); err != nil {
			return c, chain.Refuse(chain.Malformed, "input %d: its previous transaction: %v", i, err)
		}
		position[op.Hash] = len(c.Previous)
		c.Previous = append(c.Previous, b.Bytes())
	}
	c.Tx, c.Context = utxo.Encode(p.raw.UnsignedTx, func(id chainhash.Hash) int {
		if at, ok := position[id]; ok {
			return at
		}
		return -1
	}, claims)
	return c, nil
}

// carried returns the previous transactions of all inputs, and of each input
// the id of its own. Each is hashed once, however many inputs spend from it.
func (p *Packet) carried() (map[chainhash.Hash]*wire.MsgTx, []chainhash.Hash) {
	list := make(map[chainhash.Hash]*wire.MsgTx)
	ids := make([]chainhash.Hash, len(p.raw.Inputs))
	for i, in := range p.raw.Inputs {
		if in.NonWitnessUtxo != nil {
			ids[i] = in.NonWitnessUtxo.TxHash()
			list[ids[i]] = in.NonWitnessUtxo
		}
	}
	return list, ids
}

// spentBy returns the output that an input spends, as far as the packet knows.
// id is that of its previous transaction, where there is one.
func spentBy(i int, in psbt.PInput, op wire.OutPoint, id chainhash.Hash) (*wire.TxOut, error) {
	switch {
	case signed(in):
		return nil, chain.Refuse(chain.ForeignScript, "input %d carries a signature already", i)
	case in.SighashType != txscript.SigHashDefault && in.SighashType != txscript.SigHashAll:
		return nil, chain.Refuse(chain.SighashNotAll, "input %d asks for hash type %#02x", i, uint32(in.SighashType))
	}
	out, err := outputOf(i, in, op, id)
	if err != nil {
		return nil, err
	}
	if in.RedeemScript != nil && (!txscript.IsPayToScriptHash(out.PkScript) || !bytes.Equal(out.PkScript[2:22], btcaddr.Hash160(in.RedeemScript))) {
		return nil, chain.Refuse(chain.Malformed, "input %d: its redeem script is not the one of the output that it spends", i)
	}
	return out, nil
}

func outputOf(i int, in psbt.PInput, op wire.OutPoint, id chainhash.Hash) (*wire.TxOut, error) {
	prev := in.NonWitnessUtxo
	switch {
	case prev == nil && in.WitnessUtxo == nil:
		return nil, chain.Refuse(chain.UnprovenAmount, "input %d: the PSBT has no previous transaction for it", i)
	case prev == nil:
		return in.WitnessUtxo, nil
	case id != op.Hash:
		return nil, chain.Refuse(chain.HashMismatch, "input %d spends from %s, the previous transaction given for it is %s", i, op.Hash, id)
	case uint64(op.Index) >= uint64(len(prev.TxOut)):
		return nil, chain.Refuse(chain.UnprovenAmount, "input %d: previous transaction %s has no output %d", i, op.Hash, op.Index)
	}
	out := prev.TxOut[op.Index]
	if claim := in.WitnessUtxo; claim != nil && (claim.Value != out.Value || !bytes.Equal(claim.PkScript, out.PkScript)) {
		return nil, chain.Refuse(chain.AmountMismatch, "input %d: witness_utxo says %d, the previous transaction says %d, or their scripts differ", i, claim.Value, out.Value)
	}
	return out, nil
}

// An Origin says, without proof, from which key a public key was derived.
type Origin struct {
	Public []byte // 33 or 65 bytes, or 32 for taproot
	From   Fingerprint
	Path   []uint32
}

// Origins lists what the inputs say about the keys that sign them.
func (p *Packet) Origins() []Origin {
	var list []Origin
	for _, in := range p.raw.Inputs {
		list = append(list, origins(in.Bip32Derivation, in.TaprootBip32Derivation)...)
	}
	return list
}

// OutputOrigins lists what the outputs say about the keys that they pay.
func (p *Packet) OutputOrigins() []Origin {
	var list []Origin
	for _, out := range p.raw.Outputs {
		list = append(list, origins(out.Bip32Derivation, out.TaprootBip32Derivation)...)
	}
	return list
}

func origins(plain []*psbt.Bip32Derivation, taproot []*psbt.TaprootBip32Derivation) (list []Origin) {
	for _, d := range plain {
		list = append(list, Origin{d.PubKey, fingerprint(d.MasterKeyFingerprint), d.Bip32Path})
	}
	for _, d := range taproot {
		list = append(list, Origin{d.XOnlyPubKey, fingerprint(d.MasterKeyFingerprint), d.Bip32Path})
	}
	return list
}

// Is reports whether the origin is of this compressed public key.
func (o Origin) Is(public []byte) bool {
	return bytes.Equal(o.Public, public) || len(o.Public) == 32 && len(public) == 33 && bytes.Equal(o.Public, public[1:])
}
