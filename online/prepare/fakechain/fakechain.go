// Package fakechain is a family of chains that does not exist, for tests of the
// contracts: it has accounts with nonces, an expiry that is set when a transaction
// is prepared, no change and no previous transactions. No program links it.
package fakechain

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"coldkms/online/prepare"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/pending"
)

// Name is the family's name in items.
const Name = "fake"

// Valid is for how long a transaction can be sent after it was prepared.
const Valid = time.Hour

// Tx is a transaction without its signature.
type Tx struct {
	From     string       `json:"from"` // public key in hex
	Nonce    uint64       `json:"nonce"`
	To       string       `json:"to"`
	Amount   chain.Amount `json:"amount"`
	NotAfter int64        `json:"notAfter"` // seconds since 1970; 0: not prepared yet
}

// Encode returns the one encoding.
func (t Tx) Encode() []byte {
	b, _ := json.Marshal(t) // of such fields it does not fail
	return b
}

// Sign returns the signature and the signed transaction.
func (t Tx) Sign(key ed25519.PrivateKey) (signature, raw []byte) {
	raw = t.Encode()
	signature = ed25519.Sign(key, raw)
	return signature, append(raw, signature...)
}

// Decode reads a transaction without its signature.
func Decode(raw []byte) (Tx, error) {
	var t Tx
	if err := json.Unmarshal(raw, &t); err != nil || !bytes.Equal(t.Encode(), raw) {
		return Tx{}, chain.Refuse(chain.Malformed, "transaction is not in its one encoding")
	}
	return t, nil
}

// Slot is the exclusive id that a transaction uses up.
func (t Tx) Slot() string { return fmt.Sprintf("%s:%d", t.From, t.Nonce) }

func idOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// transaction implements prepare.Tx; raw has the signature, if there is one.
type transaction struct {
	Tx
	raw []byte
}

// TxID implements prepare.Tx.
func (t transaction) TxID() string { return idOf(t.raw) }

// UnsignedID implements prepare.Tx.
func (t transaction) UnsignedID() string { return idOf(t.Encode()) }

// Parents implements prepare.Tx.
func (transaction) Parents() []string { return nil }

// Uses implements prepare.Tx.
func (t transaction) Uses() []string { return []string{t.Slot()} }

// Read reads a signed transaction, whose signature must be the account's.
func Read(signed []byte) (Tx, error) {
	n := len(signed) - ed25519.SignatureSize
	if n < 0 {
		return Tx{}, chain.Refuse(chain.Malformed, "transaction is cut short")
	}
	t, err := Decode(signed[:n])
	if err != nil {
		return Tx{}, err
	}
	public, err := hex.DecodeString(t.From)
	if err != nil || len(public) != ed25519.PublicKeySize || !ed25519.Verify(public, signed[:n], signed[n:]) {
		return Tx{}, chain.Refuse(chain.Incomplete, "the signature does not verify")
	}
	return t, nil
}

// Family implements prepare.Family and prepare.Expirer, for one chain of Tatum's.
type Family struct {
	Chain chain.ID
	Now   func() time.Time
}

// Name implements prepare.Family.
func (Family) Name() string { return Name }

// Chains implements prepare.Family.
func (f Family) Chains() []chain.ID { return []chain.ID{f.Chain} }

// Pace implements prepare.Family.
func (Family) Pace(chain.ID) prepare.Pace { return prepare.Pace{Depth: 3, Block: time.Minute} }

// Parse implements prepare.Family.
func (f Family) Parse(tx pending.Tx, network chain.Network) (prepare.Draft, error) {
	t, err := Decode([]byte(tx.SerializedTransaction))
	if err != nil {
		return nil, err
	}
	keys, err := tx.Keys()
	return draft{f, tx.ID, chain.Coin{Chain: f.Chain, Network: network}, keys, t}, err
}

// Restore implements prepare.Family.
func (f Family) Restore(it bundle.Item) (prepare.Draft, error) {
	t, err := Decode(it.Tx)
	return draft{f, it.ID, it.Coin, it.Keys, t}, err
}

// Check implements prepare.Family: there are no previous transactions.
func (Family) Check(txid string, _ []byte) ([]byte, error) {
	return nil, fmt.Errorf("fakechain: nobody needs transaction %s", txid)
}

// Proofs implements prepare.Family.
func (f Family) Proofs([][]byte) (prepare.Proofs, error) { return f, nil }

// TxID implements prepare.Family.
func (Family) TxID(signed []byte) (string, error) {
	_, err := Read(signed)
	return idOf(signed), err
}

// Read implements prepare.Family.
func (Family) Read(signed []byte) (prepare.Tx, error) {
	t, err := Read(signed)
	return transaction{t, signed}, err
}

// Expired implements prepare.Expirer.
func (f Family) Expired(d prepare.Draft) bool { return f.expired(d.(draft).tx) }

func (f Family) expired(t Tx) bool { return t.NotAfter > 0 && f.Now().Unix() > t.NotAfter }

// Finish implements prepare.Proofs.
func (f Family) Finish(it bundle.Item, signatures [][]byte) (prepare.Final, error) {
	t, err := Decode(it.Tx)
	switch {
	case err != nil:
		return prepare.Final{}, err
	case f.expired(t):
		return prepare.Final{}, chain.Refuse(prepare.Expired, "it could be sent until %s", time.Unix(t.NotAfter, 0).UTC().Format(time.RFC3339))
	case len(signatures) != 1:
		return prepare.Final{}, chain.Refuse(chain.Incomplete, "%d signatures", len(signatures))
	}
	raw := append(bytes.Clone(it.Tx), signatures[0]...)
	_, err = Read(raw)
	return prepare.Final{Raw: raw, TxID: idOf(raw)}, err
}

// Adopt implements prepare.Proofs.
func (f Family) Adopt(it bundle.Item, signed prepare.Tx) (prepare.Final, error) {
	raw := signed.(transaction).raw
	return f.Finish(it, [][]byte{raw[len(raw)-ed25519.SignatureSize:]})
}

// draft implements prepare.Draft and, once it has an expiry, prepare.Prepared.
type draft struct {
	family Family
	id     string
	coin   chain.Coin
	keys   []chain.Key
	tx     Tx
}

// ID implements prepare.Draft.
func (d draft) ID() string { return d.id }

// Chain implements prepare.Draft.
func (d draft) Chain() chain.ID { return d.coin.Chain }

// Tx implements prepare.Draft.
func (d draft) Tx() prepare.Tx { return transaction{d.tx, d.tx.Encode()} }

// Needs implements prepare.Draft.
func (draft) Needs() []string { return nil }

// Prove implements prepare.Draft.
func (d draft) Prove(prepare.Proofs) (prepare.Prepared, error) {
	if d.tx.NotAfter == 0 {
		d.tx.NotAfter = d.family.Now().Add(Valid).Unix()
	}
	if d.family.expired(d.tx) {
		return nil, chain.Refuse(prepare.Expired, "it could be sent until %s", time.Unix(d.tx.NotAfter, 0).UTC().Format(time.RFC3339))
	}
	return d, nil
}

// Family implements prepare.Prepared.
func (draft) Family() string { return Name }

// Parts implements prepare.Prepared.
func (draft) Parts() []prepare.Part { return nil }

// Load implements prepare.Prepared.
func (d draft) Load() bundle.Load { return d.Item(nil).Load() }

// Item implements prepare.Prepared.
func (d draft) Item(func(string) int) bundle.Item {
	return bundle.Item{ID: d.id, Family: Name, Coin: d.coin, Tx: d.tx.Encode(), Keys: d.keys}
}

// Facts implements prepare.Prepared.
func (d draft) Facts() (chain.Facts, error) {
	asset := assetOf(d.coin)
	return chain.Facts{
		Coin: d.coin, Asset: asset, Exclusive: []string{d.tx.Slot()},
		Sources:   []chain.Source{{ID: d.tx.Slot(), Address: d.tx.From, Asset: asset, Amount: d.tx.Amount, Proven: true}},
		Movements: []chain.Movement{{To: d.tx.To, Address: d.tx.To, Asset: asset, Amount: d.tx.Amount}},
	}, nil
}

func assetOf(c chain.Coin) chain.Asset { return chain.Asset{Coin: c, Symbol: "FAKE", Decimals: 18} }

// Watched implements prepare.Family: there is no change.
func (f Family) Watched([]bundle.WatchEntry) prepare.Watched { return f }

// Pays implements prepare.Watched.
func (Family) Pays(d prepare.Draft) ([]prepare.Pay, prepare.ChangeKnown, error) {
	tx := d.(draft)
	return []prepare.Pay{{Address: tx.tx.To, Asset: assetOf(tx.coin), Amount: tx.tx.Amount}}, prepare.NotKnown, nil
}

// conflicts implements prepare.Conflicts: a conflict has the same account and nonce.
type conflicts struct{ ours Tx }

// Conflicts implements prepare.Family.
func (Family) Conflicts(ours prepare.Tx, _ chain.Coin, _ [][]byte) (prepare.Conflicts, error) {
	return conflicts{ours.(transaction).Tx}, nil
}

// Addresses implements prepare.Conflicts.
func (c conflicts) Addresses() []string { return []string{c.ours.From} }

// Made implements prepare.Conflicts: a nonce is made by nothing.
func (conflicts) Made(string) []string { return nil }

// Uses implements prepare.Conflicts.
func (c conflicts) Uses(id string) bool { return id == c.ours.Slot() }

// Whole implements prepare.Conflicts.
func (c conflicts) Whole(raw []byte) bool {
	t, err := Read(raw)
	return err == nil && t == c.ours
}

// Rival implements prepare.Conflicts.
func (c conflicts) Rival(txid string, raw []byte) *prepare.Rival {
	t, err := Read(raw)
	if err != nil || idOf(raw) != txid || t.Slot() != c.ours.Slot() {
		return nil
	}
	return &prepare.Rival{Tx: transaction{t, raw}, Used: t.Slot()}
}

// Fixed implements prepare.Conflicts.
func (conflicts) Fixed() bool { return false }

// Payers implements prepare.Conflicts.
func (c conflicts) Payers() []string { return []string{c.ours.From} }

// Same implements prepare.Conflicts.
func (c conflicts) Same(other prepare.Tx, _ []string) string {
	switch t := other.(transaction); {
	case t.UnsignedID() == transaction{c.ours, nil}.UnsignedID():
		return "it IS this payment, under another signature, so it was paid"
	case t.To == c.ours.To:
		return "it pays to the same address, so it may be this payment"
	}
	return ""
}
