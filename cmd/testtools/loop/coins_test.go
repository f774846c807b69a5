//go:build unix

package loop

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	chainutxo "coldkms/shared/chain/utxo"
)

// currency is one coin with a key and a mnemonic in the signer's wallet.
type currency struct {
	w         *world
	params    chainutxo.Params
	path      string
	elsewhere string // somebody else's address
	keyID     string
	public    []byte
	mnemonic  struct{ SignatureID, XPub string }
}

// elsewhere is BIP 173's own example as each coin writes its hash.
func elsewhere() map[chain.ID]string {
	return map[chain.ID]string{
		chain.BTC:  "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
		chain.LTC:  "mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r",
		chain.DOGE: "nesRpRaAbTDmZHwmzBkLd2AtF7Z9L9z5S2",
		chain.BCH:  "bchtest:qp63uahgrxged4z5jswyt5dn5v3lzsem6cq85x00dt",
	}
}

// wallets keeps the stocked wallet for the tests that come later: each entry
// costs the password's price.
var wallets struct {
	sync.Mutex
	stocked string // a copy of the offline folder; "" before there is one
	coins   []currency
}

// stock puts a private key and a mnemonic of each coin into the wallet.
func (w *world) stock() []*currency {
	w.t.Helper()
	wallets.Lock()
	defer wallets.Unlock()
	folder, kept := filepath.Join(w.dir, "offline"), filepath.Join(w.bin, "stocked")
	from, to := kept, folder
	if wallets.stocked == "" {
		for _, c := range w.fill(chain.BTC, chain.LTC, chain.DOGE, chain.BCH) {
			wallets.coins = append(wallets.coins, *c)
		}
		from, to = folder, kept
	} else if err := os.RemoveAll(folder); err != nil {
		w.t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		w.t.Fatal(err)
	}
	wallets.stocked = kept
	var all []*currency
	for _, c := range wallets.coins {
		c.w = w
		all = append(all, &c)
	}
	return all
}

// fill stores them one by one, typed at the prompt.
func (w *world) fill(list ...chain.ID) []*currency {
	w.t.Helper()
	var all []*currency
	for i, id := range list {
		p, err := chainutxo.ParamsOf(chain.Coin{Chain: id, Network: chain.Testnet})
		if err != nil {
			w.t.Fatal(err)
		}
		c := &currency{w: w, params: p, path: w.path(id), elsewhere: elsewhere()[id]}
		secret := make([]byte, 32)
		secret[0], secret[31] = 7, byte(i+1)
		wif, err := hd.EncodeWIF(secret, true, hdtest.Coin(chain.Coin{Chain: id, Network: chain.Testnet}))
		if err != nil {
			w.t.Fatal(err)
		}
		c.keyID = w.storeKeyOf(id, string(wif))
		w.run(w.offline("generatemanagedwallet", string(id)), 0, &c.mnemonic)
		all = append(all, c)
	}
	return all
}

// learn takes the public halves of the keys from the watch file.
func learn(t *testing.T, watch bundle.SealedWatch, all []*currency) {
	t.Helper()
	for _, c := range all {
		c.public = entryOf(t, watch, c.keyID).PubKey
	}
}

// scripts returns what a key of this coin can be paid to, in Tatum's form first.
func (c *currency) scripts(public []byte) [][]byte {
	c.w.t.Helper()
	own, legacy := c.params.KeyAddress(public)
	list := [][]byte{c.scriptOf(own)}
	if own != legacy {
		list = append(list, c.scriptOf(legacy))
	}
	if c.params.Chain == chain.LTC {
		kinds := scriptsOf(c.w.t, public)
		list = append(list, kinds["P2WPKH"], kinds["P2SH-P2WPKH"])
	}
	return list
}

func (c *currency) scriptOf(address string) []byte {
	c.w.t.Helper()
	script, err := c.params.ScriptOf(address)
	if err != nil {
		c.w.t.Fatal(err)
	}
	return script
}

// derived is the first script of the mnemonic's key at index.
func (c *currency) derived(index int64) []byte {
	c.w.t.Helper()
	public, err := hd.PublicKey(c.mnemonic.XPub, hdtest.Coin(chain.Coin{Chain: c.params.Chain, Network: chain.Testnet}), index)
	if err != nil {
		c.w.t.Fatal(err)
	}
	return c.scripts(public)[0]
}

// funds is an output that fromUTXO names.
type funds struct {
	coin
	DerivationIndex *int64 `json:"derivationIndex,omitempty"`
}

// fund pays an amount to each script in one transaction.
func (c *currency) fund(amount string, scripts ...[]byte) []funds {
	c.w.t.Helper()
	var outputs []map[string]any
	for _, s := range scripts {
		outputs = append(outputs, map[string]any{"script": hex.EncodeToString(s), "amount": amount})
	}
	var reply struct{ TxID string }
	c.w.api("POST", "/sandbox/faucet", map[string]any{"chain": c.params.Chain, "outputs": outputs, "mine": true}, &reply)
	list := make([]funds, len(scripts))
	for i := range scripts {
		list[i].coin = coin{TxHash: reply.TxID, Index: i, SignatureID: c.keyID}
	}
	return list
}

// at makes an output one of the mnemonic's key at index.
func (c *currency) at(u funds, index int64) funds {
	u.SignatureID, u.DerivationIndex = c.mnemonic.SignatureID, &index
	return u
}

// pay asks for a payment elsewhere and returns the pending id. What is above the
// amount is the fee.
func (c *currency) pay(amount string, from ...funds) string {
	c.w.t.Helper()
	var reply struct{ SignatureID string }
	c.w.api("POST", "/v3/"+c.path+"/transaction", map[string]any{
		"fromUTXO": from, "to": []payee{{c.elsewhere, json.Number(amount)}},
	}, &reply)
	return reply.SignatureID
}

// withdraw asks for a withdrawal from these indices of the mnemonic.
func (c *currency) withdraw(amount, fee string, indices ...int64) string {
	c.w.t.Helper()
	var reply struct{ SignatureID string }
	c.w.api("POST", "/v3/offchain/"+c.path+"/transfer", map[string]any{
		"senderAccountId": "5fbaca3001421166273b3779", "address": c.elsewhere, "amount": amount, "fee": fee,
		"signatureId": c.mnemonic.SignatureID, "xpub": c.mnemonic.XPub, "indices": indices,
	}, &reply)
	return reply.SignatureID
}

// Each coin: two inputs of one key (which Tatum's KMS cannot do for BCH), a
// mnemonic with an index, every input type of LTC, a withdrawal from two
// addresses, and an amount that floating point cannot hold.
func TestLoopForEveryCoin(t *testing.T) {
	w := newWorld(t)
	all := w.stock()
	learn(t, w.pair(), all)

	expected := 0
	asked := func(string) { expected++ }
	for _, c := range all {
		amount, two, one, fee := "0.001", "0.00197", "0.00098", "0.00002"
		withdrawn := "0.0019" // what comes back is no dust
		if c.params.Chain == chain.DOGE {
			amount, two, one, withdrawn, fee = "100", "198.5", "98.5", "198.5", "1.5"
		}
		own := c.scripts(c.public)
		asked(c.pay(two, c.fund(amount, own[0], own[0])...))
		asked(c.pay(one, c.at(c.fund(amount, c.derived(7))[0], 7)))
		c.fund(amount, c.derived(3), c.derived(4))
		asked(c.withdraw(withdrawn, fee, 3, 4))
		switch c.params.Chain {
		case chain.LTC:
			asked(c.pay("0.00396", c.fund(amount, append(own, own[0])...)...))
		case chain.DOGE:
			asked(c.pay("90071993.00000001", c.fund("90071994.00000001", own[0])...))
		}
	}
	txids := w.cross(expected)
	w.settled(txids)
	w.allCompleted(expected)
	fmt.Printf("every coin: %d payments of 4 coins signed, mined and completed\n", len(txids))
}

// allCompleted wants the relay to say the same.
func (w *world) allCompleted(expected int) {
	w.t.Helper()
	var status []struct{ State string }
	w.run(w.online("status"), 0, &status)
	for _, s := range status {
		if s.State != "completed" {
			w.t.Errorf("an item is %s", s.State)
		}
	}
	if len(status) != expected {
		w.t.Errorf("%d items, want %d", len(status), expected)
	}
}
