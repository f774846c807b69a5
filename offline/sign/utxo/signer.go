// Package utxo signs for Bitcoin and its relatives. Signatures are
// deterministic: ECDSA by RFC 6979 with low S, as Tatum's library makes them
// byte for byte, and BIP 340 with zero auxiliary randomness. The same request
// and the same wallet give the same bytes on any machine, any day.
package utxo

import (
	"bytes"
	"slices"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"coldkms/offline/hd"
	"coldkms/offline/policy"
	"coldkms/offline/sign"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// Signer signs for the chains it is given.
type Signer struct {
	Chains []chain.ID

	testOnlyHands *hands // faulty ones; nothing outside this package's tests can set it
}

// Family implements sign.Signer.
func (Signer) Family() string { return utxo.Name }

// Coins implements sign.Signer.
func (s Signer) Coins() []chain.Coin {
	return slices.DeleteFunc(utxo.Coins(), func(c chain.Coin) bool { return !s.has(c.Chain) })
}

// Coin implements sign.Signer.
func (s Signer) Coin(coin chain.Coin) (policy.Coin, bool) {
	p, err := utxo.ParamsOf(coin)
	return p, err == nil && s.has(coin.Chain)
}

// Derivation implements sign.Signer.
func (s Signer) Derivation(coin chain.Coin) (hd.Coin, bool) {
	p, err := utxo.ParamsOf(coin)
	return hd.Coin{Coin: p.Coin, Path: p.CoinType, XPub: p.HDPublic, WIF: p.WIF}, err == nil && s.has(coin.Chain)
}

// Count implements sign.Signer.
func (Signer) Count(item bundle.Item) (sources, movements int) { return utxo.Count(item.Tx) }

// Interchangeable implements sign.Signer. Signature hashes name no coin, but
// those of Bitcoin Cash have a bit set that the others' have not, and this
// signer makes Schnorr signatures there that no other coin takes.
func (s Signer) Interchangeable(a, b chain.Coin) bool {
	p, err := utxo.ParamsOf(a)
	q, other := utxo.ParamsOf(b)
	return err == nil && other == nil && a != b && p.ForkID == q.ForkID
}

// opened are the previous transactions of a Request.
type opened struct {
	signer   Signer
	previous *utxo.Table
}

// Open implements sign.Signer: parts are previous transactions.
func (s Signer) Open(parts [][]byte) (sign.Opened, error) {
	table, err := utxo.NewTable(parts)
	return opened{s, table}, err
}

// Prepare implements sign.Opened.
func (o opened) Prepare(item bundle.Item, keys sign.Keys) (sign.Job, error) {
	return o.signer.Prepare(item, o.previous, keys)
}

// Outline implements sign.Outliner.
func (o opened) Outline(item bundle.Item) (exclusive []string, bare [32]byte, ok bool) {
	return utxo.Outline(item.Coin, item.Tx, item.Context, o.previous)
}

// Prepare decodes and proves one item. Errors are refusals.
func (s Signer) Prepare(item bundle.Item, previous *utxo.Table, keys sign.Keys) (sign.Job, error) {
	if !s.has(item.Chain) {
		return nil, chain.Refuse(chain.UnsupportedChain, "%.20q is not a chain that this signer signs for", string(item.Chain))
	}
	tx, err := utxo.Decode(item.Coin, item.Tx, item.Context, previous)
	if err != nil {
		return nil, err
	}
	if err := (bundle.Load{Hashed: tx.Hashed()}).CheckItem(); err != nil {
		return nil, chain.Refuse(chain.TooLarge, "%v: spend it in smaller parts", err)
	}
	for i, in := range tx.Spent() {
		if kind := tx.Params().KindOf(in.Script); !tx.Params().Signable(kind) {
			return nil, chain.Refuse(chain.UnknownInput, "input %d spends a %s output, which is not signed for", i, kind)
		}
	}
	ring, err := newKeyring(tx.Params(), item.Keys, keys)
	if err != nil {
		return nil, err
	}
	return &job{item: item, tx: tx, ring: ring, keys: keys, facts: tx.Explain(ring), hands: s.hands()}, nil
}

func (s Signer) has(id chain.ID) bool {
	for _, c := range s.Chains {
		if c == id {
			return true
		}
	}
	return false
}

type job struct {
	item  bundle.Item
	tx    *utxo.Tx
	ring  *keyring
	keys  sign.Keys
	facts chain.Facts
	hands hands
}

// Subject implements sign.Job.
func (j *job) Subject() policy.Subject {
	return policy.Subject{ID: j.item.ID, Content: j.tx.Content(), Bare: j.tx.Transaction(), Hashed: j.tx.Hashed(), Facts: j.facts}
}

// Sign implements sign.Job.
func (j *job) Sign(approval policy.Approval) (sign.Signed, error) {
	if !approval.Covers(j.tx.Content()) {
		return sign.Signed{}, chain.Refuse(chain.RefusedByPerson, "no approval for this transaction")
	}
	signatures, public, err := j.signInputs()
	if err != nil {
		return sign.Signed{}, err
	}
	final, err := j.tx.FinalizeWith(signatures, public)
	if err != nil {
		return sign.Signed{}, err
	}
	if err := j.signAgain(signatures); err != nil {
		return sign.Signed{}, err
	}
	return sign.Signed{Signatures: signatures, TxID: final.TxID, Raw: final.Raw}, nil
}

// signInputs returns a signature for each input, and the public key it is by.
func (j *job) signInputs() (signatures, public [][]byte, err error) {
	digests := j.tx.Digester()
	signatures = make([][]byte, len(j.tx.Spent()))
	public = make([][]byte, len(signatures))
	for i, spent := range j.tx.Spent() {
		at, ok := j.ring.find(spent.Script)
		if !ok || !j.ring.keys[at].named {
			return nil, nil, chain.Refuse(chain.NoKeyForInput, "input %d: no key named by the request can sign it", i)
		}
		sig, err := j.signInput(i, j.tx.Params().KindOf(spent.Script), j.ring.keys[at], digests)
		if err != nil {
			return nil, nil, err
		}
		signatures[i], public[i] = sig, j.ring.keys[at].public
	}
	return signatures, public, nil
}

// signAgain makes every signature anew and compares. A fault in a nonce gives
// a signature that is valid, so that no verification finds it; but beside the
// right one over the same digest it gives the key away.
func (j *job) signAgain(signatures [][]byte) error {
	again, _, err := j.signInputs()
	if err != nil {
		return err
	}
	for i := range signatures {
		if !bytes.Equal(signatures[i], again[i]) {
			return chain.Refuse(chain.InternalFailure, "input %d: signed twice, and the signatures differ: this machine makes mistakes", i)
		}
	}
	return nil
}

func (j *job) signInput(i int, kind utxo.Kind, k ringKey, digests *utxo.Digester) ([]byte, error) {
	digest, err := j.hands.digest(digests, i, btcaddr.Hash160(k.public))
	if err != nil {
		return nil, chain.Refuse(chain.InternalFailure, "input %d: %v", i, err)
	}
	secret, err := j.keys.Private(k.key.SignatureID, k.key.Index)
	if err != nil {
		return nil, chain.Refuse(chain.NoKeyForInput, "input %d: %v", i, err)
	}
	defer secret.Wipe()
	key, err := secret.On(hd.Secp256k1)
	if err != nil {
		return nil, err
	}
	private := secp256k1.PrivKeyFromBytes(key) // without its public key, which costs half a signature
	defer private.Zero()
	switch {
	case j.tx.Params().ForkID:
		return append(j.hands.schnorr2019(private, digest), k.public...), nil
	case kind == utxo.P2TR:
		return j.hands.taproot(private, digest)
	}
	compressed := len(k.public) == btcec.PubKeyBytesLenCompressed
	sig := j.hands.ecdsa(private, digest, compressed)
	if kind == utxo.P2SH {
		sig = append(sig, k.public...) // without it the relay cannot know what was signed
	}
	return sig, nil
}

// signTaproot signs for the key path (BIP 341) with the tweaked key (BIP 86)
// and BIP 340's nonce with 32 zero bytes of auxiliary randomness.
func signTaproot(private *btcec.PrivateKey, digest []byte) ([]byte, error) {
	tweaked := txscript.TweakTaprootPrivKey(*private, nil)
	defer tweaked.Zero()
	sig, err := schnorr.Sign(tweaked, digest, schnorr.CustomNonce([32]byte{}))
	if err != nil {
		return nil, chain.Refuse(chain.InternalFailure, "taproot signature: %v", err)
	}
	return sig.Serialize(), nil
}
