package wallet

import (
	"bytes"
	"errors"
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"

	"coldkms/offline/hd"
	"coldkms/shared/chain"
	"coldkms/shared/screen"
)

// Kind is what an Entry holds.
type Kind uint8

// The kinds. Their values are part of the file format.
const (
	UnknownKind Kind = iota
	Mnemonic         // words from which keys are derived by index
	PrivateKey       // one key
	Foreign          // an entry of a chain that is not built, as Tatum KMS wrote it; kept, never signed with
)

// String returns the word that listings use.
func (k Kind) String() string {
	switch k {
	case Mnemonic:
		return "mnemonic"
	case PrivateKey:
		return "privateKey"
	case Foreign:
		return "foreign"
	}
	return "unknown"
}

// Entry is one signature id. Its slices belong to the wallet: they are not to
// be changed, and they are wiped by Close.
type Entry struct {
	ID string
	chain.Coin
	Kind    Kind
	Created int64 // Unix time

	Words      []byte // Mnemonic
	Passphrase []byte // Mnemonic: the BIP 39 passphrase, often none
	XPub       string // Mnemonic: m/44'/coin'/0'/0 as Tatum writes it

	Key        []byte // PrivateKey: 32 bytes
	Compressed bool   // PrivateKey: form of its public key
	Public     []byte // PrivateKey: 33 or 65 bytes

	JSON []byte // Foreign
}

// entryWire is an Entry as the wallet file has it. It shares the slices.
type entryWire struct {
	ID      string        `cbor:"1,keyasint"`
	Chain   chain.ID      `cbor:"2,keyasint"`
	Network chain.Network `cbor:"3,keyasint"`
	Kind    Kind          `cbor:"4,keyasint"`
	Created int64         `cbor:"5,keyasint"`

	Words      []byte `cbor:"6,keyasint,omitempty"`
	Passphrase []byte `cbor:"7,keyasint,omitempty"`
	XPub       string `cbor:"8,keyasint,omitempty"`
	Key        []byte `cbor:"9,keyasint,omitempty"`
	Compressed bool   `cbor:"10,keyasint,omitempty"`
	Public     []byte `cbor:"11,keyasint,omitempty"`
	JSON       []byte `cbor:"12,keyasint,omitempty"`
}

func (e Entry) wire() entryWire {
	return entryWire{
		ID: e.ID, Chain: e.Chain, Network: e.Network, Kind: e.Kind, Created: e.Created,
		Words: e.Words, Passphrase: e.Passphrase, XPub: e.XPub,
		Key: e.Key, Compressed: e.Compressed, Public: e.Public, JSON: e.JSON,
	}
}

func (w entryWire) entry() Entry {
	return Entry{
		ID: w.ID, Coin: chain.Coin{Chain: w.Chain, Network: w.Network}, Kind: w.Kind, Created: w.Created,
		Words: w.Words, Passphrase: w.Passphrase, XPub: w.XPub,
		Key: w.Key, Compressed: w.Compressed, Public: w.Public, JSON: w.JSON,
	}
}

// Signable reports whether keys of this entry can sign.
func (e Entry) Signable() bool { return e.Kind == Mnemonic || e.Kind == PrivateKey }

func (e *Entry) wipe() {
	for _, b := range [][]byte{e.Words, e.Passphrase, e.Key, e.JSON} {
		clear(b)
	}
}

// FromMnemonic makes an entry of words and derives its extended public key.
// Words that are no valid mnemonic are taken, as Tatum KMS takes them: ask
// hd.CheckMnemonic first.
func FromMnemonic(id string, coin hd.Coin, words, passphrase []byte, created time.Time) (Entry, error) {
	account, err := hd.AccountOf(words, passphrase, coin)
	if err != nil {
		return Entry{}, err
	}
	defer account.Wipe()
	e := Entry{ID: id, Coin: coin.Coin, Kind: Mnemonic, Created: created.Unix(), XPub: account.XPub(),
		Words: bytes.Clone(words), Passphrase: bytes.Clone(passphrase)}
	return e, e.check()
}

// FromKey makes an entry of a private key of 32 bytes.
func FromKey(id string, coin hd.Coin, key []byte, compressed bool, created time.Time) (Entry, error) {
	public, err := hd.Public(key, compressed)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{ID: id, Coin: coin.Coin, Kind: PrivateKey, Created: created.Unix(),
		Key: bytes.Clone(key), Compressed: compressed, Public: public}
	return e, e.check()
}

// FromForeign makes an entry that is only kept.
func FromForeign(id string, coin chain.Coin, raw []byte, created time.Time) (Entry, error) {
	e := Entry{ID: id, Coin: coin, Kind: Foreign, Created: created.Unix(), JSON: bytes.Clone(raw)}
	return e, e.check()
}

// Bounds of an entry in bytes.
const (
	maxID      = 128
	maxChain   = 20
	maxWords   = 4096
	maxXPub    = 120
	maxForeign = 1 << 20
)

// check is what every entry must fulfil, on the way in and when it is read.
// It derives nothing, so that 25,000 of them take no time.
func (e *Entry) check() error {
	if err := checkID(e.ID); err != nil {
		return err
	}
	if e.Network != chain.Mainnet && e.Network != chain.Testnet {
		return fmt.Errorf("entry %s: no network", e.ID)
	}
	words := len(e.Words) > 0 && len(e.Words) <= maxWords && len(e.Passphrase) <= maxWords && len(e.XPub) > 0 && len(e.XPub) <= maxXPub
	noWords := len(e.Words)+len(e.Passphrase)+len(e.XPub) == 0
	key := len(e.Key) == 32 && (e.Compressed && len(e.Public) == 33 || !e.Compressed && len(e.Public) == 65)
	noKey := len(e.Key)+len(e.Public) == 0 && !e.Compressed
	foreign := len(e.JSON) > 0 && len(e.JSON) <= maxForeign && len(e.Chain) > 0 && len(e.Chain) <= maxChain
	ok := false
	switch e.Kind {
	case Mnemonic:
		ok = words && noKey && len(e.JSON) == 0
	case PrivateKey:
		ok = noWords && key && len(e.JSON) == 0
	case Foreign:
		ok = noWords && noKey && foreign
	}
	if !ok {
		return fmt.Errorf("entry %s: its fields do not fit a %s", e.ID, e.Kind)
	}
	return nil
}

// checkCoin is what check leaves out: keys are kept for coins that are known.
func (e *Entry) checkCoin(coins hd.Coins) error {
	if e.Kind == Foreign {
		return nil
	}
	_, err := coins(e.Coin)
	return err
}

// checkID takes any name that is printable: Tatum's are UUIDs, but a file of
// Tatum KMS may have been edited by hand.
func checkID(id string) error {
	if id == "" || len(id) > maxID || !utf8.ValidString(id) {
		return errors.New("signature id is empty, too long or not text")
	}
	for _, r := range id {
		if !unicode.IsPrint(r) || screen.Deceives(r) {
			return fmt.Errorf("signature id %q has characters that cannot be shown", id)
		}
	}
	return nil
}
