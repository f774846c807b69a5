package main

import (
	"os"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/rogpeppe/go-internal/testscript"

	library "github.com/btcsuite/btcd/psbt/v2"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/shared/psbt/psbttest"
)

// stranger IN OUT [partial|txn|single|pays-more]: another signer signs the one
// PSBT that matches.
func stranger(ts *testscript.TestScript, _ bool, args []string) {
	file, err := os.ReadFile(only(ts, args[0]))
	ts.Check(err)
	s := psbttest.Signer{Key: relaytest.NewSigner(2).Coin}
	how := ""
	if len(args) > 2 {
		how = args[2]
	}
	switch how {
	case "partial":
		s.Partial = true
	case "single":
		s.Type = txscript.SigHashSingle
	case "pays-more":
		file = psbttest.Change(file, func(p *library.Packet) { p.UnsignedTx.TxOut[0].Value++ })
	}
	out := s.Sign(file)
	if how == "txn" {
		out = []byte(psbttest.Hex(psbttest.Extract(out)))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out, 0o600))
}
