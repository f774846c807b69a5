package online_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	library "github.com/btcsuite/btcd/psbt/v2"
	"github.com/btcsuite/btcd/txscript/v2"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/online"
	"coldkms/online/journal"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	interoppsbt "coldkms/shared/interop/psbt"
	"coldkms/shared/psbt"
	"coldkms/shared/psbt/psbttest"
)

// psbts exports and returns the files by pending id.
func (w *world) psbts(o online.ExportOptions) map[string][]byte {
	w.Helper()
	o.Format = &interoppsbt.Format{}
	got := w.export(o)
	files := make(map[string][]byte)
	for _, p := range got.Foreign {
		b, err := os.ReadFile(p.Path)
		if err != nil {
			w.Fatal(err)
		}
		files[p.ID] = b
	}
	if got.Request != nil || got.Digest == nil || got.Items != len(files) {
		w.Fatalf("%+v", got)
	}
	return files
}

// take imports one file as "kms-online import" does.
func (w *world) take(file []byte, listed bool) (online.Imported, error) {
	w.Helper()
	return with(w, func(r *online.Relay) (online.Imported, error) {
		var report online.Imported
		err := r.Importer(&report, &interoppsbt.Format{}).File(w.Context(), "file.psbt", file, listed)
		return report, err
	})
}

func (w *world) stranger() psbttest.Signer { return psbttest.Signer{Key: w.signer.Coin} }

func TestExportPSBT(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.pay(2, nil)
	w.fetch()
	files := w.psbts(online.ExportOptions{})
	if got := strings.Join(w.files(), " "); got != "coldkms-"+id(1)+"-0.00099000BTC.psbt coldkms-"+id(2)+"-0.00099000BTC.psbt" {
		t.Error(got)
	}
	w.wantState(id(1), "exported")
	p := psbttest.Read(files[id(1)])
	public := w.signer.Coin.PubKey().SerializeCompressed()
	if d := p.Inputs[0].Bip32Derivation; len(d) != 1 || !bytes.Equal(d[0].PubKey, public) || p.Inputs[0].NonWitnessUtxo == nil {
		t.Errorf("%+v", p.Inputs[0])
	}
	again := w.psbts(online.ExportOptions{})
	for id, b := range files {
		if !bytes.Equal(again[id], b) {
			t.Errorf("%s is another PSBT the second time", id)
		}
	}
	// What waits can still go out as a request, and what is signed goes out no more.
	if _, err := w.take(w.stranger().Sign(files[id(1)]), false); err != nil {
		t.Fatal(err)
	}
	if left := w.psbts(online.ExportOptions{}); len(left) != 1 || left[id(2)] == nil {
		t.Errorf("%d written again", len(left))
	}
	if req := w.exported(online.ExportOptions{}); len(req.Items) != 2 {
		t.Errorf("%d items", len(req.Items))
	}
}

// Every form in which a signer gives its work back is taken once, and only
// the same bytes again.
func TestImportPSBT(t *testing.T) {
	t.Parallel()
	for name, form := range map[string]func(psbttest.Signer, []byte) []byte{
		"finalised": func(s psbttest.Signer, b []byte) []byte { return s.Sign(b) },
		"partial":   func(s psbttest.Signer, b []byte) []byte { s.Partial = true; return s.Sign(b) },
		"base64": func(s psbttest.Signer, b []byte) []byte {
			return []byte(base64.StdEncoding.EncodeToString(s.Sign(b)) + "\n")
		},
		"hex": func(s psbttest.Signer, b []byte) []byte {
			return []byte(psbttest.Hex(psbttest.Extract(s.Sign(b))) + "\n")
		},
		"binary": func(s psbttest.Signer, b []byte) []byte {
			raw, err := hex.DecodeString(psbttest.Hex(psbttest.Extract(s.Sign(b))))
			if err != nil {
				panic(err)
			}
			return raw
		},
	} {
		w := newWorld(t)
		w.pay(1, nil)
		w.fetch()
		unsigned := w.psbts(online.ExportOptions{})[id(1)]
		file := form(w.stranger(), unsigned)
		if got, err := w.take(file, false); err != nil || got.Imported != 1 || len(got.Problems) != 0 {
			t.Fatalf("%s: %+v, %v", name, got, err)
		}
		w.wantState(id(1), "signed")
		if got, err := w.take(file, true); err != nil || got.Imported != 0 || len(got.Problems)+len(got.Notes) != 0 {
			t.Errorf("%s again: %+v, %v", name, got, err)
		}
		txid := w.status(id(1)).TxID
		if want := psbttest.Extract(w.stranger().Sign(unsigned)).TxHash().String(); txid != want {
			t.Errorf("%s: txid %s, want %s", name, txid, want)
		}
		w.broadcast()
		w.wantState(id(1), "completed")
	}
}

// The first signer wins: other valid bytes, of the paired signer or of a
// stranger, are an alarm.
func TestImportPSBTOtherBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.fetch()
	unsigned := w.psbts(online.ExportOptions{})[id(1)]
	req := w.exported(online.ExportOptions{})
	w.signer.OtherNonce = true
	if got, err := w.take(w.signer.Sign(req, nil), false); err != nil || got.Imported != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	txid := w.status(id(1)).TxID
	got, err := w.take(w.stranger().Sign(unsigned), false)
	if err != nil || got.Imported != 0 || codes(got.Problems) != "other-bytes " || !strings.Contains(got.Problems[0].Reason, "ALARM") {
		t.Errorf("%+v, %v", got, err)
	}
	if now := w.status(id(1)).TxID; now != txid {
		t.Errorf("%s became %s", txid, now)
	}
}

func TestImportPSBTRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.fetch()
	unsigned := w.psbts(online.ExportOptions{})[id(1)]
	other, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{8}, 32))
	sign := func(change func(*library.Packet)) []byte {
		return w.stranger().Sign(psbttest.Change(unsigned, change))
	}
	byOther := psbttest.Change(unsigned, func(p *library.Packet) {
		p.Inputs[0].FinalScriptWitness = append([]byte{2, 71}, append(make([]byte, 70), append([]byte{1, 33}, other.PubKey().SerializeCompressed()...)...)...)
	})
	for name, x := range map[string]struct {
		file []byte
		err  error
		code string
	}{
		"other payee":   {sign(func(p *library.Packet) { p.UnsignedTx.TxOut[0].PkScript[5] ^= 1 }), online.ErrNoMatch, ""},
		"other value":   {sign(func(p *library.Packet) { p.UnsignedTx.TxOut[0].Value-- }), online.ErrNoMatch, ""},
		"other version": {sign(func(p *library.Packet) { p.UnsignedTx.Version = 1 }), online.ErrNoMatch, ""},
		"foreign input": {[]byte(psbttest.Hex(w.signer.Funding(5))), online.ErrNoMatch, ""},
		"other amount":  {sign(func(p *library.Packet) { p.Inputs[0].WitnessUtxo.Value++ }), nil, "incomplete-signature "},
		"unsigned":      {unsigned, nil, "incomplete-signature "},
		"SINGLE":        {psbttest.Signer{Key: w.signer.Coin, Type: txscript.SigHashSingle}.Sign(unsigned), nil, "sighash-not-all "},
		"SINGLE, partial": {psbttest.Signer{Key: w.signer.Coin, Type: txscript.SigHashSingle, Partial: true}.Sign(unsigned), nil,
			"sighash-not-all "},
		"unsigned transaction": {[]byte(psbttest.Hex(psbttest.Read(unsigned).UnsignedTx)), nil, "incomplete-signature "},
		"other key":            {byOther, nil, "incomplete-signature "},
		"damaged":              {unsigned[:len(unsigned)-1], psbt.ErrInvalid, ""},
	} {
		got, err := w.take(x.file, false)
		if !errors.Is(err, x.err) || codes(got.Problems) != x.code || got.Imported != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if st := w.status(id(1)); st.State != "exported" || x.code != "" && string(st.Code)+" " != x.code {
			t.Errorf("%s: it is %s (%s)", name, st.State, st.Code)
		}
	}
	// In a folder, what is not signed or not ours is passed over.
	for name, file := range map[string][]byte{"unsigned": unsigned, "other value": sign(func(p *library.Packet) { p.UnsignedTx.TxOut[0].Value-- }), "damaged": unsigned[:40], "empty": nil} {
		got, err := w.take(file, true)
		if err != nil || len(got.Problems) != 0 || (len(got.Notes) == 0) != (name == "unsigned") {
			t.Errorf("%s in a folder: %+v, %v", name, got, err)
		}
	}
}

// A Result of a folder is looked at as ever.
func TestImportListedResult(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := with(w, func(r *online.Relay) (any, error) {
		return nil, r.Importer(&online.Imported{}).File(w.Context(), "a.kmsres", []byte("rubbish"), true)
	})
	if !errors.Is(err, bundle.ErrInvalid) {
		t.Errorf("%v", err)
	}
}

// A signature for what was refused is kept, and left to a person.
func TestImportPSBTNotWaiting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.fetch()
	unsigned := w.psbts(online.ExportOptions{})[id(1)]
	req := w.exported(online.ExportOptions{})
	if got := w.imports(w.signer.Sign(req, refuse(1, chain.RefusedByPerson))); got.Refused != 1 {
		t.Fatalf("%+v", got)
	}
	if got, err := w.take(w.stranger().Sign(unsigned), false); err != nil || codes(got.Problems) != "signed-after-refusal " || got.Imported != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	w.wantState(id(1), "failed")
}

// What never went out is not looked for.
func TestImportPSBTNeverExported(t *testing.T) {
	t.Parallel()
	other := newWorld(t)
	other.pay(1, nil)
	other.fetch()
	unsigned := other.psbts(online.ExportOptions{})[id(1)]
	w := newWorld(t)
	w.pay(1, nil)
	w.fetch()
	if got, err := w.take(w.stranger().Sign(unsigned), false); !errors.Is(err, online.ErrNoMatch) {
		t.Errorf("%+v, %v", got, err)
	}
	w.wantState(id(1), "prepared")
}

// Two pending ids that ask for one transaction cannot both be paid by it.
func TestImportPSBTTwins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	prev := w.funding(1)
	w.payFrom(1, prev, nil)
	w.server.Add(w.signer.Payment(1, prev, func(p map[string]any) { p["id"] = id(2) }))
	w.fetch()
	files := w.psbts(online.ExportOptions{})
	if len(files) != 2 || !bytes.Equal(files[id(1)], files[id(2)]) {
		t.Fatalf("%d files", len(files))
	}
	if got, err := w.take(w.stranger().Sign(files[id(1)]), false); err != nil || codes(got.Problems) != "batch-conflict batch-conflict " || got.Imported != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := with(w, func(r *online.Relay) (bool, error) {
		return r.Reject(w.Context(), id(2), online.Rejection{Why: "twice"})
	}); err != nil {
		t.Fatal(err)
	}
	if got, err := w.take(w.stranger().Sign(files[id(1)]), false); err != nil || got.Imported != 1 {
		t.Errorf("after one is rejected: %+v, %v", got, err)
	}
}

// The journal lets other bytes in by no way.
func TestAdoptOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(nil, 1)
	path := filepath.Join(w.dir, "journal.db")
	j, err := journal.Open(t.Context(), path, w.clock)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if err := j.Adopt(t.Context(), journal.SignedItem{ID: id(1), TxID: "00", Raw: []byte{1}}); !errors.Is(err, journal.ErrOtherBytes) {
		t.Errorf("%v", err)
	}
	if err := j.Adopt(t.Context(), journal.SignedItem{ID: id(9), TxID: "00", Raw: []byte{1}}); err == nil {
		t.Error("an item that is not there was signed")
	}
}

// A master fingerprint is for a mnemonic that the watch file has.
func TestExportPSBTMasters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.fetch()
	for _, id := range []string{relaytest.SignatureID, "none"} {
		_, err := with(w, func(r *online.Relay) (online.Exported, error) {
			return r.Export(w.Context(), online.ExportOptions{Dir: w.out, Format: &interoppsbt.Format{Masters: map[string]psbt.Fingerprint{id: {1}}}})
		})
		if !errors.Is(err, interoppsbt.ErrNoSuchKey) {
			t.Errorf("%s: %v", id, err)
		}
	}
}
