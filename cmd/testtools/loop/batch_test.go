//go:build unix

package loop

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"coldkms/shared/chain"
)

// batchSize is KMS_BATCH, or what a test run can afford. The full measure:
//
//	KMS_BATCH=10000 go test ./cmd/testtools/loop -run TestMixedBatch -timeout 30m -v
func batchSize(t *testing.T) int {
	text := os.Getenv("KMS_BATCH")
	if text == "" {
		return 400
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 40 || n > 30_000 {
		t.Fatalf("KMS_BATCH=%q: want a number from 40 to 30000", text)
	}
	return n
}

// stopwatch notes how long each step took.
type stopwatch struct{ text string }

func (s *stopwatch) time(name string, step func()) {
	start := time.Now()
	step()
	s.text += fmt.Sprintf(", %s %.1fs", name, time.Since(start).Seconds())
}

// A batch of payments and withdrawals of all coins goes the whole way. Both
// programs are killed (SIGKILL) in the middle and go on; in the end every
// payment is in a block once, under the txid that was signed.
func TestMixedBatch(t *testing.T) {
	items := batchSize(t)
	w := newWorld(t)
	all := w.stock()
	learn(t, w.pair(), all)
	b := &batchRun{world: w, coins: all, items: items}

	b.time("ask", b.ask)
	b.time("fetch", b.fetch)
	var exported struct {
		Request string
		Items   int
	}
	b.time("export", func() { w.run(w.online("export", "--out", w.usb()), 0, &exported) })
	if exported.Items != items {
		t.Fatalf("%d items exported, want %d", exported.Items, items)
	}
	b.sign(w.onUSB(exported.Request))
	b.time("import", b.imported)
	b.time("broadcast", b.broadcast)
	b.time("check", b.check)
	fmt.Printf("mixed batch: %d payments of 4 coins, %d kills, nothing lost or doubled%s\n", items, b.kills, b.text)
}

type batchRun struct {
	*world
	stopwatch
	coins  []*currency
	items  int
	kills  int
	signed map[string]string // txid by pending id
}

// ask makes the pending transactions: of ten of a coin one is a withdrawal and
// one is by mnemonic and index.
func (b *batchRun) ask() {
	var wait sync.WaitGroup
	for n, c := range b.coins {
		share := b.items / len(b.coins)
		if n == 0 {
			share += b.items % len(b.coins)
		}
		wait.Go(func() { b.askOf(c, share) })
	}
	wait.Wait()
}

func (b *batchRun) askOf(c *currency, share int) {
	const each = 100 // outputs of one funding transaction
	amount, pays, takes, fee := "0.001", "0.0009%04d", "0.0008%04d", "0.0001"
	if c.params.Chain == chain.DOGE {
		amount, pays, takes, fee = "50", "48.%04d", "47.%04d", "1.5"
	}
	own := c.scripts(c.public)
	for first := 0; first < share; first += each {
		var scripts [][]byte
		for i := first; i < min(first+each, share); i++ {
			script := own[i%len(own)]
			if i%10 < 2 {
				script = c.derived(int64(i))
			}
			scripts = append(scripts, script)
		}
		for k, out := range c.fund(amount, scripts...) {
			switch i := first + k; i % 10 {
			case 0:
				c.withdraw(fmt.Sprintf(takes, i), fee, int64(i))
			case 1:
				c.pay(fmt.Sprintf(pays, i), c.at(out, int64(i)))
			default:
				c.pay(fmt.Sprintf(pays, i), out)
			}
		}
	}
}

// killedWhen starts a command and kills it as soon as something is the case,
// which must be before its end.
func (b *batchRun) killedWhen(cmd *exec.Cmd, is func() bool) {
	b.t.Helper()
	var words bytes.Buffer
	cmd.Stderr = &words
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for !is() {
		select {
		case err := <-ended:
			b.t.Fatalf("%v ended before it was killed: %v\n%s", cmd.Args, err, words.String())
		case <-time.After(time.Millisecond):
		}
	}
	_ = cmd.Process.Kill()
	<-ended
	if cmd.ProcessState.ExitCode() >= 0 {
		b.t.Fatalf("%v was faster than its killer: %v", cmd.Args, cmd.ProcessState)
	}
	b.kills++
}

// grown is true once the files of a folder have grown by so much.
func grown(dir string, by int64) func() bool {
	size := func() (sum int64) {
		_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				if info, err := d.Info(); err == nil {
					sum += info.Size()
				}
			}
			return nil // a file that went meanwhile has no size
		})
		return sum
	}
	before := size()
	return func() bool { return size() >= before+by }
}

func (b *batchRun) relayDir() string { return filepath.Join(b.dir, "online", "relay") }

func (b *batchRun) fetch() {
	b.killedWhen(b.online("fetch"), grown(b.relayDir(), int64(b.items)*300))
	var fetched struct {
		Fetched, Prepared int
		Problems          []any
	}
	b.run(b.online("fetch"), 0, &fetched)
	if len(fetched.Problems) > 0 {
		b.t.Fatalf("fetch: %v", fetched)
	}
}

// sign reviews, and kills the signer once at about the time when it has the
// password behind it and begins to sign.
func (b *batchRun) sign(request string) {
	var reviewed struct{ Digest string }
	start := time.Now()
	b.time("review", func() { b.run(b.offline("review", request), 0, &reviewed) })
	took := time.Since(start)
	sign := func() *exec.Cmd { return b.offline("sign", request, "--out", b.usb(), "--approve", reviewed.Digest) }
	ledger := grown(filepath.Join(b.dir, "offline"), 1)
	start = time.Now()
	b.killedWhen(sign(), func() bool { return ledger() || time.Since(start) > took })
	var signed struct{ Signed []sentReply }
	b.time("sign", func() { b.run(sign(), 0, &signed) })
	b.signed = make(map[string]string)
	for _, s := range signed.Signed {
		b.signed[s.ID] = s.TxID
	}
	if len(b.signed) != b.items {
		b.t.Fatalf("%d items signed, want %d", len(b.signed), b.items)
	}
}

func (b *batchRun) imported() {
	var imported struct {
		Imported int
		Problems []any
	}
	b.run(b.online("import", b.usb()), 0, &imported)
	if imported.Imported != b.items || len(imported.Problems) > 0 {
		b.t.Fatalf("import: %+v", imported)
	}
}

// broadcast kills the relay when a third is done.
func (b *batchRun) broadcast() {
	b.killedWhen(b.online("broadcast"), func() bool {
		time.Sleep(time.Duration(b.items/20) * time.Millisecond) // asking is work for the sandbox too
		return b.waiting() < b.items*2/3
	})
	var sent struct{ Problems []any }
	b.run(b.online("broadcast"), 0, &sent)
	if len(sent.Problems) > 0 || b.waiting() != 0 {
		b.t.Fatalf("broadcast: %v, %d wait", sent.Problems, b.waiting())
	}
}

// waiting counts what is pending at Tatum.
func (b *batchRun) waiting() int {
	b.t.Helper()
	var status struct{ Chains []struct{ Pending int } }
	b.api("GET", "/sandbox/status", nil, &status)
	sum := 0
	for _, c := range status.Chains {
		sum += c.Pending
	}
	return sum
}

// check mines and reads the chains: what was paid elsewhere is exactly what
// was signed, each once.
func (b *batchRun) check() {
	paid := make(map[string]int)
	for _, c := range b.coins {
		b.api("POST", "/sandbox/mine", map[string]any{"chain": c.params.Chain, "blocks": 1}, nil)
		for _, txid := range c.paidElsewhere() {
			paid[txid]++
		}
	}
	for id, txid := range b.signed {
		var kms struct{ TxID string }
		if b.api("GET", "/v3/kms/"+id, nil, &kms); kms.TxID != txid {
			b.t.Errorf("%s is completed as %q, signed as %s", id, kms.TxID, txid)
		}
		if paid[txid] != 1 {
			b.t.Errorf("%s was paid %d times", txid, paid[txid])
		}
	}
	if len(paid) != b.items {
		b.t.Errorf("%d payments in blocks, want %d", len(paid), b.items)
	}
	b.allCompleted(b.items)
}

// paidElsewhere lists the mined transactions of the payee.
func (c *currency) paidElsewhere() []string {
	c.w.t.Helper()
	const page = 50
	from := "offset"
	if c.params.Chain == chain.BCH {
		from = "skip"
	}
	var list []string
	for offset := 0; ; offset += page {
		var txs []struct {
			Hash, TxID                 string
			BlockNumber, Confirmations int64
		}
		c.w.api("GET", fmt.Sprintf("/v3/%s/transaction/address/%s?pageSize=%d&%s=%d", c.path, c.elsewhere, page, from, offset), nil, &txs)
		for _, tx := range txs {
			id := tx.TxID
			if id == "" {
				id = tx.Hash
			}
			if tx.BlockNumber <= 0 && tx.Confirmations <= 0 {
				c.w.t.Errorf("%s is in no block", id)
			}
			list = append(list, id)
		}
		if len(txs) < page {
			return list
		}
	}
}
