package utxo

import (
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

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
	for i := range t.spent {
		if err := t.runLegacyInput(i); err != nil {
			return chain.Refuse(chain.Incomplete, "input %d does not verify: %v", i, err)
		}
	}
	return nil
}

func (t *Tx) runLegacyInput(i int) error {
	s := t.spent[i]
	engine, err := txscript.NewEngine(s.Script, t.msg, i, legacyFlags, nil, nil, s.Value, txscript.NewCannedPrevOutputFetcher(s.Script, s.Value))
	if err != nil {
		return err
	}
	return engine.Execute()
}

// VerifyInput reports whether input i of a finished transaction spends an
// output rightly: only who has its key, or its script's answer, can make such
// a transaction. The other inputs are not looked at. A taproot input that is
// not the only one cannot be verified without them, and is an error.
func VerifyInput(p Params, final *wire.MsgTx, i int, spent Spent) error {
	if i < 0 || i >= len(final.TxIn) || final.TxIn[i].PreviousOutPoint != spent.Outpoint {
		return chain.Refuse(chain.Incomplete, "it has no input that spends %s", spent.Outpoint)
	}
	all := make([]Spent, len(final.TxIn))
	for n, in := range final.TxIn {
		all[n] = Spent{Outpoint: in.PreviousOutPoint}
	}
	all[i] = spent
	t := &Tx{params: p, msg: final, spent: all}
	var err error
	switch {
	case p.ForkID:
		err = t.runForkID(i, final.TxIn[i], t.Digester())
		if err != nil {
			err = t.runForkIDECDSA(i, final.TxIn[i], t.Digester())
		}
	case p.KindOf(spent.Script) == P2TR && len(final.TxIn) > 1:
		return chain.Refuse(chain.Incomplete, "a taproot input among others cannot be verified alone")
	case p.Segwit:
		err = t.checker(final)(i)
	default:
		err = t.runLegacyInput(i)
	}
	if err != nil {
		return chain.Refuse(chain.Incomplete, "input %d does not verify: %v", i, err)
	}
	return nil
}
