package hd

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"golang.org/x/crypto/pbkdf2"
	"golang.org/x/text/unicode/norm"

	"coldkms/shared/chain"
)

// Errors about keys.
var (
	ErrIndex = fmt.Errorf("derivation index is not within 0 … %d", chain.MaxIndex)
	ErrKey   = errors.New("not a private key of secp256k1")
	ErrXPub  = errors.New("not an extended public key of this chain and network")
)

const (
	seedRounds = 2048
	seedSize   = 64
	accounts   = 44 // BIP 44's purpose
)

// Seed returns the BIP 39 seed. Words are taken as they are, valid or not, as
// Tatum does: only Unicode is normalised (NFKD). passphrase may be nil. The
// caller wipes the seed.
func Seed(mnemonic, passphrase []byte) []byte {
	password := norm.NFKD.Append(make([]byte, 0, 2*len(mnemonic)), mnemonic...)
	salt := norm.NFKD.Append(append(make([]byte, 0, 8+2*len(passphrase)), "mnemonic"...), passphrase...)
	defer clear(password)
	defer clear(salt)
	return pbkdf2.Key(password, salt, seedRounds, seedSize, sha512.New)
}

// Account is the extended private key at m/44'/coin'/0'/0, from which all
// keys of one mnemonic on one chain and network are derived. It is safe for
// concurrent use until Wipe.
type Account struct {
	private   btcec.ModNScalar
	public    []byte
	chainCode []byte
	xpub      string
}

// NewAccount derives the account of a seed.
func NewAccount(seed []byte, coin Coin) (*Account, error) {
	if err := coin.check(); err != nil {
		return nil, err
	}
	key, err := hdkeychain.NewMaster(seed, &chaincfg.MainNetParams)
	if err != nil {
		return nil, fmt.Errorf("derive account: %w", err)
	}
	const hardened = hdkeychain.HardenedKeyStart
	for _, step := range []uint32{hardened + accounts, hardened + coin.Path, hardened, 0} {
		child, err := key.Derive(step)
		key.Zero()
		if err != nil {
			return nil, fmt.Errorf("derive account: %w", err)
		}
		key = child
	}
	defer key.Zero()
	return newAccount(key, coin)
}

func newAccount(key *hdkeychain.ExtendedKey, coin Coin) (*Account, error) {
	private, err := key.ECPrivKey()
	if err != nil {
		return nil, fmt.Errorf("derive account: %w", err)
	}
	defer private.Zero()
	public, err := key.Neuter()
	if err != nil {
		return nil, fmt.Errorf("derive account: %w", err)
	}
	public, err = public.CloneWithVersion(binary.BigEndian.AppendUint32(nil, coin.XPub))
	if err != nil {
		return nil, fmt.Errorf("derive account: %w", err)
	}
	return &Account{
		private: private.Key, public: private.PubKey().SerializeCompressed(),
		chainCode: key.ChainCode(), xpub: public.String(),
	}, nil
}

// AccountOf derives the account of a mnemonic and wipes the seed in between.
func AccountOf(mnemonic, passphrase []byte, coin Coin) (*Account, error) {
	seed := Seed(mnemonic, passphrase)
	defer clear(seed)
	return NewAccount(seed, coin)
}

// XPub is the extended public key as Tatum writes it for this chain.
func (a *Account) XPub() string { return a.xpub }

// Key derives child index: its private key of 32 bytes, which the caller
// wipes, and its compressed public key. It is BIP 32's CKDpriv, written out
// because the library computes each public key twice, which costs as much as
// a signature.
func (a *Account) Key(index int64) (private, public []byte, err error) {
	i, err := childIndex(index)
	if err != nil {
		return nil, nil, err
	}
	mac := hmac.New(sha512.New, a.chainCode)
	mac.Write(a.public)
	mac.Write(binary.BigEndian.AppendUint32(nil, i))
	sum := mac.Sum(nil)
	defer clear(sum)
	var child btcec.ModNScalar
	if child.SetByteSlice(sum[:keySize]) || child.Add(&a.private).IsZero() {
		return nil, nil, fmt.Errorf("derive key %d: there is no such key", index) // 1 in 2^127
	}
	key := btcec.PrivKeyFromScalar(&child)
	defer key.Zero()
	defer child.Zero()
	return key.Serialize(), key.PubKey().SerializeCompressed(), nil
}

// Wipe forgets the key. The account must not be used after it.
func (a *Account) Wipe() {
	a.private.Zero()
	clear(a.chainCode)
}

// childIndex refuses hardened indices: an extended public key does not have
// them, and Tatum silently derives another key for them.
func childIndex(index int64) (uint32, error) {
	if index < 0 || index > chain.MaxIndex {
		return 0, fmt.Errorf("%w: %d", ErrIndex, index)
	}
	return uint32(index), nil
}

// XPub is an extended public key, from which the public keys of one mnemonic on
// one coin are derived.
type XPub struct{ key *hdkeychain.ExtendedKey }

// OpenXPub reads an extended public key in any coin's form.
func OpenXPub(text string) (XPub, error) {
	key, err := hdkeychain.NewKeyFromString(text)
	if err != nil {
		return XPub{}, fmt.Errorf("%w: %w", ErrXPub, err)
	}
	if key.IsPrivate() {
		return XPub{}, ErrXPub
	}
	return XPub{key}, nil
}

// Public derives the compressed public key of child index.
func (x XPub) Public(index int64) ([]byte, error) {
	i, err := childIndex(index)
	if err != nil {
		return nil, err
	}
	child, err := x.key.Derive(i)
	if err != nil {
		return nil, fmt.Errorf("derive public key %d: %w", index, err)
	}
	public, err := child.ECPubKey()
	if err != nil {
		return nil, fmt.Errorf("derive public key %d: %w", index, err)
	}
	return public.SerializeCompressed(), nil
}

// PublicKey derives the compressed public key of child index from an extended
// public key, which must be one of this coin as Tatum writes it.
func PublicKey(xpub string, coin Coin, index int64) ([]byte, error) {
	if err := coin.check(); err != nil {
		return nil, err
	}
	x, err := OpenXPub(xpub)
	if err != nil {
		return nil, err
	}
	if x.key.Depth() != 4 || binary.BigEndian.Uint32(x.key.Version()) != coin.XPub {
		return nil, ErrXPub
	}
	return x.Public(index)
}

// Public returns the public key of a private one: 33 bytes, or 65 uncompressed.
func Public(private []byte, compressed bool) ([]byte, error) {
	if err := CheckKey(private); err != nil {
		return nil, err
	}
	key, public := btcec.PrivKeyFromBytes(private)
	defer key.Zero()
	if compressed {
		return public.SerializeCompressed(), nil
	}
	return public.SerializeUncompressed(), nil
}

// CheckKey refuses what is not a number from 1 to the order of the curve
// minus 1, in 32 bytes.
func CheckKey(private []byte) error {
	var n btcec.ModNScalar
	defer n.Zero()
	if len(private) != btcec.PrivKeyBytesLen || n.SetByteSlice(private) || n.IsZero() {
		return ErrKey
	}
	return nil
}
