// Package fakechain is a family of chains that does not exist, for tests of the
// contracts: it has accounts with nonces, tokens, destination tags, an expiry, keys
// on another curve, and no change. No program links it.
package fakechain

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"coldkms/offline/hd"
	"coldkms/offline/policy"
	"coldkms/offline/sign"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// Name is the family's name in items.
const Name = "fake"

// Token is the one token that the family knows.
const Token = "gold"

// Coin is the family's only coin.
func Coin() chain.Coin { return chain.Coin{Chain: "FAKE", Network: chain.Testnet} }

// Asset returns the coin, or a token of it; ok is false for an unknown token.
func Asset(token string) (a chain.Asset, ok bool) {
	switch token {
	case "":
		return chain.Asset{Coin: Coin(), Symbol: "FAKE", Decimals: 18}, true
	case Token:
		return chain.Asset{Coin: Coin(), Token: Token, Symbol: "GOLD", Decimals: 2}, true
	}
	return chain.Asset{}, false
}

// Tx is a transaction without its signature.
type Tx struct {
	From     string       `json:"from"` // address
	Nonce    uint64       `json:"nonce"`
	To       string       `json:"to"`
	Tag      string       `json:"tag,omitempty"`
	Token    string       `json:"token,omitempty"`
	Amount   chain.Amount `json:"amount"`
	MaxFee   chain.Amount `json:"maxFee"`
	NotAfter int64        `json:"notAfter"` // round
	Call     bool         `json:"call,omitempty"`
}

// Encode returns the one encoding.
func (t Tx) Encode() []byte {
	b, _ := json.Marshal(t) // of such fields it does not fail
	return b
}

const prefix = "fake1"

// AddressOf returns the address of a public key.
func AddressOf(public []byte) string {
	sum := sha256.Sum256(public)
	return prefix + hex.EncodeToString(sum[:20])
}

func decode(raw []byte) (t Tx, err error) {
	if err := json.Unmarshal(raw, &t); err != nil || !bytes.Equal(t.Encode(), raw) {
		return Tx{}, chain.Refuse(chain.Malformed, "transaction is not in its one encoding")
	}
	if _, err := (coin{}).LockOf(t.To); err != nil {
		return Tx{}, chain.Refuse(chain.Malformed, "%v", err)
	}
	if _, ok := Asset(t.Token); !ok {
		return Tx{}, chain.Refuse(chain.UnsupportedChain, "token %.40q is not known", t.Token)
	}
	return t, nil
}

// Signer signs for the family. It needs nothing beside the items.
type Signer struct{}

// Family implements sign.Signer.
func (Signer) Family() string { return Name }

// Coins implements sign.Signer.
func (Signer) Coins() []chain.Coin { return []chain.Coin{Coin()} }

// Coin implements sign.Signer.
func (Signer) Coin(c chain.Coin) (policy.Coin, bool) { return coin{}, c == Coin() }

// Derivation implements sign.Signer.
func (Signer) Derivation(c chain.Coin) (hd.Coin, bool) {
	return hd.Coin{Coin: Coin(), Path: 9999}, c == Coin()
}

// Count implements sign.Signer.
func (Signer) Count(bundle.Item) (sources, movements int) { return 1, 1 }

// Open implements sign.Signer.
func (s Signer) Open([][]byte) (sign.Opened, error) { return s, nil }

// Interchangeable implements sign.Signer: there is no other coin.
func (Signer) Interchangeable(_, _ chain.Coin) bool { return false }

// Prepare implements sign.Opened.
func (Signer) Prepare(item bundle.Item, keys sign.Keys) (sign.Job, error) {
	if item.Coin != Coin() {
		return nil, chain.Refuse(chain.UnsupportedChain, "%s is not signed for", item.Coin)
	}
	tx, err := decode(item.Tx)
	if err != nil {
		return nil, err
	}
	j := job{id: item.ID, tx: tx, raw: item.Tx, keys: keys}
	for _, k := range item.Keys {
		public, err := keys.Public(k.SignatureID, k.Index)
		if err != nil {
			return nil, chain.Refuse(chain.UnknownKey, "%v", err)
		}
		if AddressOf(public) == tx.From {
			j.key, j.public = &k, public
		} else {
			j.unused = append(j.unused, k)
		}
	}
	return j, nil
}

type job struct {
	id     string
	tx     Tx
	raw    []byte
	keys   sign.Keys
	key    *chain.Key
	public []byte
	unused []chain.Key
}

func (j job) content() [32]byte {
	return sha256.Sum256(append([]byte("fake content\n"), j.raw...))
}

// Subject implements sign.Job.
func (j job) Subject() policy.Subject {
	return policy.Subject{ID: j.id, Content: j.content(), Bare: j.content(), Facts: j.facts()}
}

func (j job) facts() chain.Facts {
	own, _ := Asset("")
	asset, _ := Asset(j.tx.Token)
	lock, _ := coin{}.LockOf(j.tx.To)
	to := j.tx.To
	if j.tx.Tag != "" {
		to += "?tag=" + j.tx.Tag
	}
	exclusive := fmt.Sprintf("%s:%d", j.tx.From, j.tx.Nonce)
	source := func(a chain.Asset, v chain.Amount) chain.Source {
		return chain.Source{ID: exclusive, Address: j.tx.From, Kind: "account", Asset: a, Amount: v, Proven: true, Own: j.key != nil, Key: j.key}
	}
	f := chain.Facts{
		Coin: Coin(), Asset: own, Fee: j.tx.MaxFee, Exclusive: []string{exclusive},
		Validity:   chain.Validity{NotAfter: chain.Moment{Height: j.tx.NotAfter}},
		UnusedKeys: j.unused,
		Movements:  []chain.Movement{{To: to, Address: j.tx.To, Memo: j.tx.Tag, Kind: "account", Lock: lock, Asset: asset, Amount: j.tx.Amount}},
	}
	if j.tx.Token == "" {
		f.Sources = []chain.Source{source(own, j.tx.Amount.Plus(j.tx.MaxFee))}
	} else {
		f.Sources = []chain.Source{source(own, j.tx.MaxFee), source(asset, j.tx.Amount)}
	}
	if j.tx.Call { // no rule is about it
		f.Findings = append(f.Findings, chain.Because("blind-call", "calls what cannot be explained"))
	}
	return f
}

// Sign implements sign.Job.
func (j job) Sign(a policy.Approval) (sign.Signed, error) {
	if !a.Covers(j.content()) {
		return sign.Signed{}, chain.Refuse(chain.RefusedByPerson, "no approval for this transaction")
	}
	if j.key == nil {
		return sign.Signed{}, chain.Refuse(chain.NoKeyForInput, "no key named by the request is the account's")
	}
	secret, err := j.keys.Private(j.key.SignatureID, j.key.Index)
	if err != nil {
		return sign.Signed{}, chain.Refuse(chain.NoKeyForInput, "%v", err)
	}
	defer secret.Wipe()
	seed, err := secret.On(hd.Ed25519)
	if err != nil {
		return sign.Signed{}, err
	}
	signature := ed25519.Sign(ed25519.NewKeyFromSeed(seed), j.raw)
	if !ed25519.Verify(j.public, j.raw, signature) {
		return sign.Signed{}, chain.Refuse(chain.Incomplete, "the signature does not verify")
	}
	raw := append(bytes.Clone(j.raw), signature...)
	id := sha256.Sum256(raw)
	return sign.Signed{Signatures: [][]byte{signature}, TxID: hex.EncodeToString(id[:]), Raw: raw}, nil
}

// coin is what a policy asks.
type coin struct{}

func (coin) Asset() chain.Asset {
	a, _ := Asset("")
	return a
}

func (coin) Largest() chain.Amount    { return chain.MaxAmount().Minus(chain.NewAmount(1)) }
func (coin) FeeCap() chain.Amount     { return chain.NewAmount(1_000_000_000_000_000_000) }
func (coin) FeeRateCap() chain.Amount { return chain.NewAmount(1) }

func (coin) LockOf(address string) ([]byte, error) {
	lock, err := hex.DecodeString(strings.TrimPrefix(address, prefix))
	if err != nil || len(lock) != 20 || address != prefix+hex.EncodeToString(lock) {
		return nil, fmt.Errorf("fakechain: %.60q is no address", address)
	}
	return lock, nil
}

func (coin) Address(lock []byte) string      { return prefix + hex.EncodeToString(lock) }
func (c coin) NameOf(lock []byte) string     { return c.Address(lock) }
func (coin) Prefix() string                  { return prefix }
func (coin) KeyForms(lock []byte) []string   { return []string{string(lock)} }
func (c coin) ListedForms(l []byte) []string { return c.KeyForms(l) }
func (coin) Commits([]byte) bool             { return false }
