//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"

	"coldkms/offline/policy"
	"coldkms/offline/sign"
	"coldkms/offline/sign/utxo"
	"coldkms/shared/chain"
	chainutxo "coldkms/shared/chain/utxo"
)

// each measures one call of f.
func each(f func()) time.Duration {
	r := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			f()
		}
	})
	return time.Duration(r.NsPerOp())
}

// signing: one P2PKH input, against one bare signature and verification of the
// library, and against Tatum's own library where it is there.
func (t *table) signing() error {
	key, public := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{7}, 32))
	digest := bytes.Repeat([]byte{9}, 32)
	sig := ecdsa.Sign(key, digest)
	bareSign := each(func() { ecdsa.Sign(key, digest) })
	bareVerify := each(func() { sig.Verify(digest, public) })
	t.add("one bare ECDSA signature", micro(bareSign), "", "")
	t.add("one bare ECDSA verification", micro(bareVerify), "", "")

	p := newPurse()
	defer p.close()
	job, approval := p.job(1)
	tx := p.decoded(1)
	onlySign := each(func() { mustSign(signatures(tx)) })
	whole := each(func() { must(job.Sign(approval)) })
	t.add("1 P2PKH input, signed", micro(onlySign), fmt.Sprintf("%.2f × a bare signature", ratio(onlySign, bareSign)), "")
	t.add("1 P2PKH input, signed and verified by scripts", micro(whole),
		fmt.Sprintf("%.2f × bare signature + verification", ratio(whole, bareSign+bareVerify)), "≤ 1.3 ×")
	return t.javascript(onlySign, whole)
}

// javascript measures Tatum's library on the same transaction, if it is there.
func (t *table) javascript(onlySign, whole time.Duration) error {
	dir := os.Getenv("KMS_TATUM_JS")
	if dir == "" {
		t.add("Tatum's JavaScript, 1 P2PKH input", "not measured", "set KMS_TATUM_JS (docs/PERFORMANCE.md)",
			"≥ 80 ×, verified ≥ 25 ×")
		return nil
	}
	cmd := exec.Command("node", "-e", tatumScript)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("node in %s: %w", dir, err)
	}
	var reply struct{ Ns float64 }
	if err := json.Unmarshal(out[bytes.LastIndexByte(bytes.TrimSpace(out), '\n')+1:], &reply); err != nil {
		return fmt.Errorf("node in %s: %w: %q", dir, err, out)
	}
	js := time.Duration(reply.Ns)
	t.add("Tatum's JavaScript, 1 P2PKH input", micro(js),
		fmt.Sprintf("Coldkms %.0f × faster signing, %.0f × with verification", ratio(js, onlySign), ratio(js, whole)),
		"≥ 80 ×, verified ≥ 25 ×")
	return nil
}

// tatumScript signs the same kind of transaction with Tatum's library.
const tatumScript = `
const { signBitcoinKMSTransaction } = require('@tatumio/tatum');
const bitcore = require('bitcore-lib');
const key = new bitcore.PrivateKey(Buffer.alloc(32, 7).toString('hex'), 'testnet');
const tx = new bitcore.Transaction()
  .from({ txId: 'aa'.repeat(32), outputIndex: 0, script: bitcore.Script.fromAddress(key.toAddress()).toHex(), satoshis: 100000 })
  .to(key.toAddress(), 90000);
const pending = { id: 'x', chain: 'BTC', serializedTransaction: JSON.stringify(tx), hashes: ['k'] };
(async () => {
  const one = () => signBitcoinKMSTransaction(pending, [key.toWIF()]);
  for (let i = 0; i < 50; i++) await one();
  const n = 300, start = process.hrtime.bigint();
  for (let i = 0; i < n; i++) await one();
  console.log(JSON.stringify({ Ns: Number(process.hrtime.bigint() - start) / n }));
})();
`

// inputs: how the cost of an input grows with the number of inputs.
func (t *table) inputs() error {
	var first time.Duration
	for _, n := range []int{1, 10, 100, 600} { // more are larger than nodes relay
		p := newPurse()
		job, approval := p.job(n)
		per := each(func() { must(job.Sign(approval)) }) / time.Duration(n)
		tx := p.decoded(n)
		signed := each(func() { mustSign(signatures(tx)) }) / time.Duration(n)
		if n == 1 {
			first = per
		}
		p.close()
		goal := ""
		if n == 600 {
			goal = "≤ 1.5 ×"
		}
		t.add(fmt.Sprintf("%d P2PKH inputs in one transaction, an input", n), micro(per),
			fmt.Sprintf("%.2f × that of one (of it signing %s)", ratio(per, first), micro(signed)), goal)
	}
	return nil
}

func must(s sign.Signed, err error) {
	if err != nil || len(s.Raw) == 0 {
		panic(err)
	}
}

func mustSign(sigs [][]byte) {
	if len(sigs) == 0 {
		panic("nothing signed")
	}
}

// nothing is a History without a past.
type nothing struct{}

func (nothing) Signed(string) ([32]byte, bool)        { return [32]byte{}, false }
func (nothing) Freed(string) ([32]byte, bool)         { return [32]byte{}, false }
func (nothing) Spender(string) ([32]byte, bool)       { return [32]byte{}, false }
func (nothing) Record([32]byte) (policy.Record, bool) { return policy.Record{}, false }
func (nothing) Now() int64                            { return 0 }
func (nothing) Payments(int64) iter.Seq[policy.Payment] {
	return func(func(policy.Payment) bool) {}
}

func (p *purse) job(inputs int) (sign.Job, policy.Approval) {
	item, raws := p.item(0, inputs)
	table, err := chainutxo.NewTable(raws)
	if err != nil {
		panic(err)
	}
	job, err := utxo.Signer{Chains: []chain.ID{chain.BTC}}.Prepare(item, table, p.wallet)
	if err != nil {
		panic(err)
	}
	batch := [32]byte{1}
	approval, err := policy.Default(sign.Families{utxo.Signer{Chains: []chain.ID{chain.BTC}}}).Judge([]policy.Subject{job.Subject()}, policy.Circumstances{}, nothing{})[0].Approve(batch, policy.Agree(batch))
	if err != nil {
		panic(err)
	}
	return job, approval
}
