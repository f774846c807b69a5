package utxo

import (
	"bytes"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// sigHashForkID is SIGHASH_ALL | SIGHASH_FORKID: Bitcoin Cash signs the digest
// of BIP 143 under this type, for outputs of the old kinds.
const sigHashForkID = txscript.SigHashAll | 0x40

// placeForkID puts a signature of Bitcoin Cash in place: 64 bytes of Schnorr
// and the public key.
func placeForkID(in *wire.TxIn, sig, script []byte) error {
	if len(sig) != schnorrLen+pubKeyLen && len(sig) != schnorrLen+uncompressedLen {
		return errSigForm
	}
	public := sig[schnorrLen:]
	if !bytes.Equal(btcaddr.Hash160(public), script[3:23]) {
		return errOtherKey
	}
	typed := append(bytes.Clone(sig[:schnorrLen]), byte(sigHashForkID))
	in.SignatureScript = append(push(typed), push(public)...)
	return nil
}

// runForkID does what the scripts of a P2PKH input do on Bitcoin Cash, whose
// rules the interpreter does not have: the input holds exactly a Schnorr
// signature of type 0x41 and a public key; the key's hash is the output's; the
// signature is the key's over the digest. No other kind of input is signed
// for on this coin, so no other script can come here.
func (t *Tx) runForkID(i int, in *wire.TxIn, digests *Digester) error {
	const first = 1 + schnorrLen + 1
	script := in.SignatureScript
	if t.params.KindOf(t.spent[i].Script) != P2PKH || len(in.Witness) != 0 || len(script) < first+1 || script[0] != schnorrLen+1 ||
		int(script[first]) != len(script)-first-1 || script[first-1] != byte(sigHashForkID) {
		return errSigForm
	}
	public := script[first+1:]
	if !bytes.Equal(btcaddr.Hash160(public), t.spent[i].Script[3:23]) {
		return errOtherKey
	}
	key, err := btcec.ParsePubKey(public)
	if err != nil {
		return errSigForm
	}
	digest, err := digests.Digest(i, nil)
	if err != nil {
		return err
	}
	if !verifySchnorr2019(script[1:1+schnorrLen], key, digest) {
		return errOtherKey
	}
	return nil
}

// runForkIDECDSA verifies a P2PKH input that another wallet of Bitcoin Cash
// signed, with ECDSA for everything (0x41). It is to recognise
// a transaction of others; nothing that is signed here has this form.
func (t *Tx) runForkIDECDSA(i int, in *wire.TxIn, digests *Digester) error {
	pushes, ok := readPushes(in.SignatureScript)
	if !ok || len(pushes) != 2 || len(pushes[0]) < 2 || t.params.KindOf(t.spent[i].Script) != P2PKH || pushes[0][len(pushes[0])-1] != byte(sigHashForkID) {
		return errSigForm
	}
	if !bytes.Equal(btcaddr.Hash160(pushes[1]), t.spent[i].Script[3:23]) {
		return errOtherKey
	}
	key, err := btcec.ParsePubKey(pushes[1])
	if err != nil {
		return errSigForm
	}
	signature, err := ecdsa.ParseDERSignature(pushes[0][:len(pushes[0])-1])
	if err != nil {
		return errSigForm
	}
	digest, err := digests.Digest(i, nil)
	if err != nil {
		return err
	}
	if !signature.Verify(digest, key) {
		return errOtherKey
	}
	return nil
}
