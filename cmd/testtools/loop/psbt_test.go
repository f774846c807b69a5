//go:build unix

package loop

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/btcsuite/btcd/btcutil/v2"
	library "github.com/btcsuite/btcd/psbt/v2"
	"github.com/btcsuite/btcd/txscript/v2"

	"coldkms/shared/psbt/psbttest"
)

const psbtWIF = "cNnCNhgfdPymqPHPMs1WkXrKYSeqDB4QAVGaM5ra1sphbtNGBvaD"

// psbts fetches what is pending and exports it as PSBTs, by pending id.
func (w *world) psbts(items int) map[string]string {
	w.t.Helper()
	w.run(w.online("fetch"), 0, nil)
	var exported struct {
		Request *string
		Items   int
		PSBTs   []struct{ ID, Path string }
	}
	w.run(w.online("export", "--psbt", "--out", w.usb()), 0, &exported)
	if exported.Request != nil || exported.Items != items || len(exported.PSBTs) != items {
		w.t.Fatalf("%+v, want %d PSBTs", exported, items)
	}
	paths := make(map[string]string)
	for _, p := range exported.PSBTs {
		paths[p.ID] = w.onUSB(p.Path)
	}
	return paths
}

// sent broadcasts what was imported and wants it mined and completed.
func (w *world) sent(items int) {
	w.t.Helper()
	var sent struct {
		Broadcast []sentReply
		Completed []string
	}
	w.run(w.online("broadcast"), 0, &sent)
	if len(sent.Broadcast) != items || len(sent.Completed) != items {
		w.t.Fatalf("%d broadcast, %d completed, want %d", len(sent.Broadcast), len(sent.Completed), items)
	}
	txids := make(map[string]string)
	for _, s := range sent.Broadcast {
		txids[s.ID] = s.TxID
	}
	w.settled(txids)
}

func (w *world) read(path string) []byte {
	w.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func (w *world) write(path string, b []byte) {
	w.t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// A stranger's program with the raw key stands in for kms-offline: every input
// type, accepted by a real node, mined and completed; and what a thief between
// the two might change is not taken.
func TestStrangerSignsPSBT(t *testing.T) {
	w := newWorld(t)
	id := w.storeKey(psbtWIF)
	watch := w.pair()
	kinds := scriptsOf(t, entryOf(t, watch, id).PubKey)
	for _, s := range kinds {
		w.pay(w.fund(id, s))
	}
	w.pay(w.fund(id, kinds["P2PKH"], kinds["P2WPKH"], kinds["P2SH-P2WPKH"], kinds["P2PK"], kinds["P2TR"]))
	paths := w.psbts(6)

	wif, err := btcutil.DecodeWIF(psbtWIF)
	if err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(w.dir, "bad.psbt")
	for _, path := range paths {
		file := w.read(path)
		signer := psbttest.Signer{Key: wif.PrivKey, Partial: true} // the library cannot finish P2PK
		var got struct {
			Imported int
			Problems []struct{ Code string }
		}
		w.write(bad, signer.Sign(psbttest.Change(file, func(p *library.Packet) { p.UnsignedTx.TxOut[0].PkScript = p.UnsignedTx.TxOut[1].PkScript })))
		w.run(w.online("import", bad), 22, nil)
		w.write(bad, psbttest.Signer{Key: wif.PrivKey, Partial: true, Type: txscript.SigHashSingle}.Sign(file))
		w.run(w.online("import", bad), 3, &got)
		if len(got.Problems) != 1 || got.Problems[0].Code != "sighash-not-all" {
			t.Errorf("signed with SINGLE: %+v", got)
		}
		w.run(w.online("import", path), 3, &got)
		if got.Imported != 0 || got.Problems[0].Code != "incomplete-signature" {
			t.Errorf("not signed: %+v", got)
		}
		w.write(path[:len(path)-len(".psbt")]+"-signed.psbt", signer.Sign(file))
	}
	var got struct {
		Imported int
		Problems []any
	}
	w.run(w.online("import", w.usb()), 0, &got)
	if got.Imported != 6 || len(got.Problems) != 0 {
		t.Fatalf("%+v", got)
	}
	w.sent(6)
}

// Kms-offline is a PSBT signer like any other: single keys, keys of a
// mnemonic, and a withdrawal, by the origins in the PSBTs.
func TestOfflineSignsPSBT(t *testing.T) {
	w := newWorld(t)
	id := w.storeKey(psbtWIF)
	var mnemonic struct{ SignatureID, XPub string }
	w.run(w.offline("generatemanagedwallet", "BTC"), 0, &mnemonic)
	watch := w.pair()
	kinds := scriptsOf(t, entryOf(t, watch, id).PubKey)
	w.pay(w.fund(id, kinds["P2PKH"], kinds["P2WPKH"], kinds["P2SH-P2WPKH"], kinds["P2PK"], kinds["P2TR"]))
	w.mnemonicAndWithdrawal(mnemonic.SignatureID, mnemonic.XPub)
	for _, path := range w.psbts(3) {
		var reviewed struct {
			Digest string
			Items  []struct{ Verdict string }
		}
		w.run(w.offline("review", path), 0, &reviewed)
		var signed struct {
			Result string
			Signed []sentReply
		}
		w.run(w.offline("sign", path, "--out", w.usb(), "--approve", reviewed.Digest), 0, &signed)
		final := psbttest.Extract(w.read(w.onUSB(signed.Result)))
		if len(signed.Signed) != 1 || final.TxHash().String() != signed.Signed[0].TxID {
			t.Errorf("%+v, extracted is %s", signed, final.TxHash())
		}
	}
	var got struct{ Imported int }
	w.run(w.online("import", w.usb()), 0, &got)
	if got.Imported != 3 {
		t.Fatalf("%d imported", got.Imported)
	}
	w.sent(3)
}
