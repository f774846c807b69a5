//go:build unix

package main

import (
	"encoding/base64"
	"flag"
	"os"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	library "github.com/btcsuite/btcd/psbt/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/rogpeppe/go-internal/testscript"

	"coldkms/shared/bundle"
	"coldkms/shared/psbt/psbttest"
)

// psbt FILE WATCH [flags]: what another program might ask to have signed: it
// spends 100,000 of the wallet's single key. "psbt final FILE" wants a PSBT
// from which any program extracts the transaction.
func psbtFile(ts *testscript.TestScript, _ bool, args []string) {
	if args[0] == "final" {
		psbttest.Extract([]byte(ts.ReadFile(args[1])))
		return
	}
	flags := flag.NewFlagSet("psbt", flag.ContinueOnError)
	foreign := flags.Bool("foreign", false, "spend from a key that the wallet does not have")
	claim := flags.Int64("claim", 0, "claim so much more in witness_utxo")
	unproven := flags.Bool("unproven", false, "leave the previous transaction out")
	single := flags.Bool("single", false, "ask for SIGHASH_SINGLE")
	text := flags.Bool("base64", false, "write base64")
	value := flags.Int64("value", 99_000, "satoshi to pay")
	ts.Check(flags.Parse(args[2:]))
	watch, err := bundle.OpenWatch([]byte(ts.ReadFile(args[1])))
	ts.Check(err)
	script := append([]byte{txscript.OP_0, 20}, btcaddr.Hash160(watch.Entries[0].PubKey)...)
	if *foreign {
		script[5] ^= 1
	}
	prev, msg := wire.NewMsgTx(2), wire.NewMsgTx(2)
	prev.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.Hash{5}}})
	prev.AddTxOut(wire.NewTxOut(100_000, script))
	id := prev.TxHash()
	msg.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&id, 0), nil, nil))
	msg.AddTxOut(wire.NewTxOut(*value, append([]byte{txscript.OP_0, 20}, id[:20]...)))
	p, err := library.NewFromUnsignedTx(msg)
	ts.Check(err)
	p.Inputs[0].NonWitnessUtxo, p.Inputs[0].WitnessUtxo = prev, wire.NewTxOut(100_000+*claim, script)
	if *unproven {
		p.Inputs[0].NonWitnessUtxo = nil
	}
	if *single {
		p.Inputs[0].SighashType = txscript.SigHashSingle
	}
	b := psbttest.Write(p)
	if *text {
		b = []byte(base64.StdEncoding.EncodeToString(b) + "\n")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}
