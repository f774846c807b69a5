package main

import (
	"encoding/base64"
	"encoding/hex"
	"os"
	"strings"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/rogpeppe/go-internal/testscript"

	library "github.com/btcsuite/btcd/psbt/v2"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/shared/psbt/psbttest"
)

// stranger IN OUT [partial|txn|txn-base64|hex|single|pays-more]: another signer signs the one
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
	switch how {
	case "txn":
		out = []byte(psbttest.Hex(psbttest.Extract(out)))
	case "txn-base64":
		raw, err := hex.DecodeString(psbttest.Hex(psbttest.Extract(out)))
		ts.Check(err)
		out = []byte("\ufeff" + base64.StdEncoding.EncodeToString(raw) + "\r\n")
	case "hex":
		out = []byte(strings.ToUpper(hex.EncodeToString(out)) + "\r\n")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out, 0o600))
}
