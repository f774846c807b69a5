package utxo

import (
	"bytes"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// burns reports whether it can be proven that nobody will ever spend an output
// with this script: it returns before it succeeds, cannot be run to its end, or
// wants a signature by a key that is none.
func (p Params) burns(script []byte) bool {
	switch p.KindOf(script) {
	case NullData:
		return true
	case P2TR:
		_, err := schnorr.ParsePubKey(script[2:])
		return err != nil
	case P2PK:
		_, err := btcec.ParsePubKey(script[1 : len(script)-1])
		return err != nil
	case Multisig:
		return tooFewKeys(script)
	case Nonstandard:
		return p.neverRuns(script)
	}
	return false
}

// hasToken reports whether Bitcoin Cash reads the beginning of a script as a token
// (CHIP-2022-02 CashTokens), and only what follows it as the script.
func (p Params) hasToken(script []byte) bool {
	const prefix = 0xef
	return p.ForkID && len(script) > 0 && script[0] == prefix
}

// withoutToken returns a script without the token before it (CHIP-2022-02
// CashTokens, "Token Prefix"): the category, a byte of flags, and the commitment
// and the amount that these announce. Without a token, or where it cannot be read,
// it returns all of the script.
func (p Params) withoutToken(script []byte) []byte {
	const (
		start         = 1 + 32
		hasCommitment = 0x40
		hasAmount     = 0x10
	)
	if !p.hasToken(script) || len(script) <= start {
		return script
	}
	flags, rest := script[start], bytes.NewReader(script[start+1:])
	if flags&hasCommitment != 0 {
		n, err := wire.ReadVarInt(rest, 0)
		if err != nil || n > uint64(rest.Len()) {
			return script
		}
		rest = bytes.NewReader(script[len(script)-rest.Len()+int(n):])
	}
	if flags&hasAmount != 0 {
		if _, err := wire.ReadVarInt(rest, 0); err != nil {
			return script
		}
	}
	return script[len(script)-rest.Len():]
}

// tooFewKeys reports whether fewer keys of a multisig script are points of the
// curve than signatures are wanted.
func tooFewKeys(script []byte) bool {
	run := txscript.MakeScriptTokenizer(0, script)
	run.Next()
	needed := int(run.Opcode()) - txscript.OP_1 + 1
	for run.Next() {
		if _, err := btcec.ParsePubKey(run.Data()); err == nil {
			needed--
		}
	}
	return needed > 0
}

// neverRuns looks at a script of no standard form.
func (p Params) neverRuns(script []byte) bool {
	if p.hasToken(script) {
		return false
	}
	if version, program, err := txscript.ExtractWitnessProgramInfo(script); err == nil && p.Segwit {
		return version == 0 && len(program) != 20 && len(program) != 32 // BIP 141
	}
	if len(script) > txscript.MaxScriptSize {
		return true
	}
	branches := false
	for run := txscript.MakeScriptTokenizer(0, script); ; {
		if !run.Next() {
			return run.Err() != nil
		}
		switch op := run.Opcode(); op {
		case txscript.OP_IF, txscript.OP_NOTIF:
			branches = true
		case txscript.OP_RETURN:
			if !branches {
				return true
			}
		case txscript.OP_VERIF, txscript.OP_VERNOTIF:
			return true
		}
	}
}
