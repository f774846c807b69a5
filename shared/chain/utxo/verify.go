package utxo

import (
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"

	"coldkms/shared/chain"
)

// Verify judges a finished transaction as a node of the coin would, given what
// each input spends: its shape, its sums, and every script. Errors are
// refusals: NoInputs, NoOutputs, DuplicateInput, ValueOutOfRange,
// OutputsAbove, Incomplete. Whether the outputs exist and are unspent is for
// the caller to know.
//
// Of Bitcoin Cash's scripts only P2PKH with a Schnorr signature is known here.
func Verify(p Params, final *wire.MsgTx, spent []Spent) error {
	if len(spent) != len(final.TxIn) {
		return chain.Refuse(chain.Incomplete, "%d outputs for %d inputs", len(spent), len(final.TxIn))
	}
	t := &Tx{params: p, msg: final, spent: spent}
	if err := t.checkShape(); err != nil {
		return err
	}
	if err := t.checkSums(); err != nil {
		return err
	}
	if p.Segwit {
		return t.run(final)
	}
	if final.HasWitness() {
		return chain.Refuse(chain.Incomplete, "%s knows no witnesses", p.Chain)
	}
	if p.ForkID {
		return t.run(final)
	}
	return t.runLegacy()
}

// legacyFlags are the interpreter's standard flags without those of segwit
// and taproot.
const legacyFlags = txscript.StandardVerifyFlags &^
	(txscript.ScriptVerifyWitness | txscript.ScriptVerifyDiscourageUpgradeableWitnessProgram |
		txscript.ScriptVerifyMinimalIf | txscript.ScriptVerifyWitnessPubKeyType |
		txscript.ScriptVerifyTaproot | txscript.ScriptVerifyDiscourageUpgradeableTaprootVersion |
		txscript.ScriptVerifyDiscourageOpSuccess | txscript.ScriptVerifyDiscourageUpgradeablePubkeyType)

// runLegacy runs the scripts of a coin without segwit.
func (t *Tx) runLegacy() error {
	fetcher := t.prevOuts()
	for i, s := range t.spent {
		engine, err := txscript.NewEngine(s.Script, t.msg, i, legacyFlags, nil, nil, s.Value, fetcher)
		if err == nil {
			err = engine.Execute()
		}
		if err != nil {
			return chain.Refuse(chain.Incomplete, "input %d does not verify: %v", i, err)
		}
	}
	return nil
}
