package fakechain_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"coldkms/offline"
	"coldkms/offline/hd"
	"coldkms/offline/ledger"
	"coldkms/offline/policy"
	"coldkms/offline/sign"
	"coldkms/offline/sign/fakechain"
	"coldkms/offline/sign/signtest"
	"coldkms/offline/sign/utxo"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

// keys is a wallet of one account, on a curve of its own.
type keys struct{}

func (keys) Lookup(id string) (chain.Coin, bool) { return fakechain.Coin(), id == "account" }
func (keys) IsMnemonic(string) bool              { return false }
func (keys) Private(id string, _ int64) (hd.Secret, error) {
	if id != "account" && id != "other" {
		return hd.Secret{}, errors.New("no such entry")
	}
	return hd.Secret{Curve: hd.Ed25519, Bytes: bytes.Repeat([]byte{byte(len(id))}, ed25519.SeedSize)}, nil
}
func (k keys) Public(id string, index int64) ([]byte, error) {
	seed, err := k.Private(id, index)
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed.Bytes)[ed25519.SeedSize:], nil
}

func account(t testing.TB) string {
	t.Helper()
	public, err := keys{}.Public("account", chain.NoIndex)
	if err != nil {
		t.Fatal(err)
	}
	return fakechain.AddressOf(public)
}

// wei is an amount beyond 64 bits.
func wei(coins uint64) chain.Amount {
	a, _ := chain.NewAmount(1_000_000_000_000_000_000).Times(coins)
	return a
}

func pays(t testing.TB, nonce uint64, to byte) fakechain.Tx {
	return fakechain.Tx{From: account(t), Nonce: nonce, To: fakechain.AddressOf([]byte{to}), Tag: "77",
		Amount: wei(20 + nonce), MaxFee: chain.NewAmount(21_000_000_000_000), NotAfter: 5_000_000}
}

func item(id string, tx fakechain.Tx) bundle.Item {
	return bundle.Item{ID: id, Family: fakechain.Name, Coin: fakechain.Coin(), Tx: tx.Encode(), Context: []byte{},
		Keys: []chain.Key{{SignatureID: "account", Index: chain.NoIndex}}}
}

func TestConformance(t *testing.T) {
	signtest.Run(t, signtest.Sample{Signer: fakechain.Signer{}, Keys: keys{}, Items: []bundle.Item{item("id", pays(t, 1, 2))}})
}

// disk is a ledger's storage in memory.
type disk struct{ log, mark []byte }

func (d *disk) Load() ([]byte, error)     { return bytes.Clone(d.log), nil }
func (d *disk) Append(b []byte) error     { d.log = append(d.log, b...); return nil }
func (d *disk) Truncate(n int64) error    { d.log = d.log[:n]; return nil }
func (d *disk) LoadMark() ([]byte, error) { return d.mark, nil }
func (d *disk) StoreMark(b []byte) error  { d.mark = bytes.Clone(b); return nil }

// machine is a signer for two families, with a relay.
type machine struct {
	*offline.Session
	t     *testing.T
	relay identity.Private
	disk  *disk
}

func newMachine(t *testing.T, rules string) machine {
	t.Helper()
	own, relay := person(t, 2), person(t, 1)
	d := &disk{}
	book, err := ledger.Create(d, ledger.OwnerOf(own), func() time.Time { return time.Unix(1_790_000_000, 0) })
	if err != nil {
		t.Fatal(err)
	}
	families := sign.Families{utxo.Signer{Chains: []chain.ID{chain.BTC}}, fakechain.Signer{}}
	p := policy.Default(families)
	if rules != "" {
		if p, err = policy.Parse(families, []byte(`{"version": 1, "chains": [{"chain": "FAKE", "network": "testnet"`+rules+`}]}`)); err != nil {
			t.Fatal(err)
		}
	}
	return machine{t: t, relay: relay, disk: d, Session: &offline.Session{Keys: keys{}, Identity: own, Ledger: book, Random: rand.Reader, Policy: p, Signers: families,
		Paired: func(p identity.Public) bool { return p == relay.Public() }}}
}

func person(t *testing.T, n byte) identity.Private {
	t.Helper()
	p, err := identity.FromSeed(bytes.Repeat([]byte{n}, identity.SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (m machine) judge(items ...bundle.Item) *offline.Judged {
	m.t.Helper()
	sealed, err := bundle.SealRequest(bundle.Request{Signer: m.Identity.Public(), Items: items}, m.relay)
	if err != nil {
		m.t.Fatal(err)
	}
	j, err := m.Judge(sealed.File)
	if err != nil {
		m.t.Fatal(err)
	}
	return j
}

func (m machine) sign(items ...bundle.Item) []bundle.Outcome {
	m.t.Helper()
	j := m.judge(items...)
	if err := m.RecordReview(j); err != nil {
		m.t.Fatal(err)
	}
	done, err := m.Sign(j, m.Agree(j), "typed")
	if err != nil {
		m.t.Fatal(err)
	}
	result, err := bundle.OpenResult(done.Result.File)
	if err != nil {
		m.t.Fatal(err)
	}
	return result.Outcomes
}

// An account family goes all the way: judged, shown, asked, recorded, signed, and
// remembered.
func TestSession(t *testing.T) {
	m := newMachine(t, "")
	var items []bundle.Item
	for n := range uint64(20) {
		items = append(items, item(fmt.Sprintf("id%d", n), pays(t, n, byte(n%3))))
	}
	var shown bytes.Buffer
	if err := m.judge(items...).Batch.Text(&shown); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"FAKE testnet       pays out 590.000000000000000000 FAKE (590000000000000000000)",
		"fees 0.000420000000000000 FAKE (420000000000000)", "pay      20.000000000000000000 FAKE (20000000000000000000)",
		account(t) + ":0", "account, proven, own",
	} {
		if !strings.Contains(shown.String(), want) {
			t.Errorf("the review does not say %q:\n%s", want, shown.String())
		}
	}
	for _, o := range m.sign(items...) {
		if !o.Signed() {
			t.Errorf("%s: %s: %s", o.ID, o.Code, o.Reason)
		}
	}
	tx := pays(t, 99, 1)
	tx.Token, tx.Amount = fakechain.Token, chain.NewAmount(250)
	for _, it := range m.judge(item("later", tx)).Batch.JSON().Items {
		if it.Outputs[0].Memo != "77" || it.Outputs[0].Token == "" || it.Valid == nil || it.Valid.NotAfterHeight == 0 {
			t.Errorf("the review has %+v", it)
		}
	}
	again, err := ledger.Open(m.disk, ledger.OwnerOf(m.Identity), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	paid := chain.Amount{}
	for p := range again.Payments(0) {
		if p.Coin != fakechain.Coin() || p.Fee == strings.HasSuffix(p.To, "?tag=77") {
			t.Errorf("the ledger has %+v", p)
		}
		paid = paid.Plus(p.Value)
	}
	if want := wei(590).Plus(chain.NewAmount(20 * 21_000_000_000_000)); paid != want {
		t.Errorf("the ledger has %s as paid, want %s", paid, want)
	}
	if _, taken := again.Spender(account(t) + ":7"); !taken {
		t.Error("the ledger does not have the nonce")
	}
}

// One exclusive id, one content, whatever the id and the batch.
func TestNonceIsUsedOnce(t *testing.T) {
	m := newMachine(t, "")
	if o := m.sign(item("first", pays(t, 7, 1)))[0]; !o.Signed() {
		t.Fatal(o.Reason)
	}
	first := m.sign(item("first", pays(t, 7, 1)))[0]
	if !first.Signed() {
		t.Errorf("the same again: %s", first.Reason)
	}
	for name, c := range map[string]struct {
		items []bundle.Item
		code  chain.Code
	}{
		"other content":    {[]bundle.Item{item("second", pays(t, 7, 2))}, chain.AlreadySpent},
		"another amount":   {[]bundle.Item{item("first", fakechain.Tx{From: account(t), Nonce: 8, To: fakechain.AddressOf([]byte{1})})}, chain.ContentChanged},
		"twice in a batch": {[]bundle.Item{item("a", pays(t, 9, 1)), item("b", pays(t, 9, 2))}, chain.BatchConflict},
	} {
		for _, it := range m.judge(c.items...).Batch.Items {
			if !it.Refused() || it.Refusals[0].Code != c.code {
				t.Errorf("%s: refusals %v, want %s", name, it.Refusals, c.code)
			}
		}
	}
}

// What no rule is about is refused: a token, a finding, a coin.
func TestRules(t *testing.T) {
	token := pays(t, 1, 1)
	token.Token, token.Amount = fakechain.Token, chain.NewAmount(250)
	call := pays(t, 1, 1)
	call.Call = true
	const named = `, "tokens": [{"token": "gold", "limits": [{"per": "day", "sum": 300}]}]`
	for name, c := range map[string]struct {
		rules string
		txs   []fakechain.Tx
		codes []chain.Code // of the last one
	}{
		"a token without a rule": {`, "maxFee": 21000000000000`, []fakechain.Tx{token}, []chain.Code{chain.ChainNotAllowed}},
		"a token":                {named, []fakechain.Tx{token}, nil},
		"above its limit":        {named, []fakechain.Tx{token, next(token)}, []chain.Code{chain.LimitDay}},
		"a finding without rule": {"", []fakechain.Tx{call}, []chain.Code{"blind-call"}},
		"a limit beyond 64 bits": {`, "limits": [{"per": "transaction", "sum": 20999999999999999999}]`, []fakechain.Tx{pays(t, 1, 1)}, []chain.Code{chain.LimitTx}},
		"the fee's cap":          {`, "maxFee": 20999999999999`, []fakechain.Tx{pays(t, 1, 1)}, []chain.Code{chain.FeeAbovePolicy}},
	} {
		m := newMachine(t, c.rules)
		var last []chain.Code
		for i, tx := range c.txs {
			it := item(fmt.Sprint("id", i), tx)
			last = nil
			for _, r := range m.judge(it).Batch.Items[0].Refusals {
				last = append(last, r.Code)
			}
			if o := m.sign(it)[0]; o.Signed() != (len(last) == 0) {
				t.Errorf("%s: judged %v, signed %v", name, last, o.Signed())
			}
		}
		if !slices.Equal(last, c.codes) {
			t.Errorf("%s: refused for %v, want %v", name, last, c.codes)
		}
	}
}

func next(tx fakechain.Tx) fakechain.Tx {
	tx.Nonce++
	return tx
}

// Amounts of a token are its own: they are shown, summed and remembered apart.
func TestTokensAreShown(t *testing.T) {
	m := newMachine(t, `, "tokens": [{"token": "gold"}]`)
	tx := pays(t, 3, 1)
	tx.Token, tx.Amount = fakechain.Token, chain.NewAmount(250)
	j := m.judge(item("id", tx))
	var shown bytes.Buffer
	if err := j.Batch.Text(&shown); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"GOLD on FAKE testnet pays out 2.50 GOLD (250)", "pay      2.50 GOLD (250)"} {
		if !strings.Contains(shown.String(), want) {
			t.Errorf("the review does not say %q:\n%s", want, shown.String())
		}
	}
	if o := m.sign(item("id", tx))[0]; !o.Signed() {
		t.Fatal(o.Reason)
	}
	for p := range m.Ledger.Payments(0) {
		if p.Fee != (p.Token == "") || !p.Fee && p.Value != chain.NewAmount(250) {
			t.Errorf("the ledger has %+v", p)
		}
	}
}

// onOther is a wallet whose keys are for another curve.
type onOther struct{ keys }

func (k onOther) Private(id string, index int64) (hd.Secret, error) {
	secret, err := k.keys.Private(id, index)
	secret.Curve = hd.Secp256k1
	return secret, err
}

// A key for another curve signs nothing.
func TestOtherCurve(t *testing.T) {
	m := newMachine(t, "")
	m.Keys = onOther{}
	if o := m.sign(item("id", pays(t, 1, 1)))[0]; o.Code != chain.NoKeyForInput {
		t.Errorf("signed, or refused for %q", o.Code)
	}
}

// A key of another account signs nothing.
func TestOtherAccount(t *testing.T) {
	m := newMachine(t, "")
	it := item("id", pays(t, 1, 1))
	it.Keys[0].SignatureID = "other"
	if r := m.judge(it).Batch.Items[0].Refusals; len(r) == 0 || r[0].Code != chain.NoKeyForInput {
		t.Errorf("refusals %v", r)
	}
}
