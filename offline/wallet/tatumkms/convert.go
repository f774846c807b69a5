package tatumkms

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"coldkms/offline/hd"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
	"coldkms/shared/parallel"
)

// Note is a remark on one entry. It shows no part of a secret.
type Note struct {
	ID   string
	Text string
}

// Import is what a wallet.dat gives.
type Import struct {
	Entries  []wallet.Entry // sound, in the order of the file
	Warnings []Note         // about entries that are taken over all the same
	Refused  []Note         // entries that are left out, and why
}

// Open decrypts a wallet.dat and converts its entries, all cores at work: a
// mnemonic takes about a millisecond and a half.
func Open(coins hd.Coins, file, password []byte, created time.Time) (Import, error) {
	records, err := Read(file, password)
	if err != nil {
		return Import{}, err
	}
	done := make([]converted, len(records))
	parallel.Each(len(records), func(i int) { done[i] = convert(coins, records[i], created) })
	var im Import
	for i, c := range done {
		id := records[i].ID
		clear(records[i].JSON)
		if c.err != nil {
			im.Refused = append(im.Refused, Note{ID: id, Text: c.err.Error()})
			continue
		}
		im.Entries = append(im.Entries, c.entry)
		for _, w := range c.warnings {
			im.Warnings = append(im.Warnings, Note{ID: id, Text: w})
		}
	}
	return im, nil
}

type converted struct {
	entry    wallet.Entry
	warnings []string
	err      error
}

func (c *converted) warn(format string, args ...any) {
	c.warnings = append(c.warnings, fmt.Sprintf(format, args...))
}

// convert judges one record.
func convert(coins hd.Coins, r Record, created time.Time) (c converted) {
	if r.Reason != "" {
		c.err = errors.New(r.Reason)
		return c
	}
	name, err := r.text("chain")
	if err != nil {
		c.err = err
		return c
	}
	coin := chain.Coin{Chain: chain.ID(name), Network: c.network(r)}
	id, err := chain.ParseID(name)
	of, unknown := coins(coin)
	switch {
	case name == "":
		c.err = errors.New("it names no chain")
	case err == nil && string(id) == name && unknown == nil:
		c.err = c.keys(r, of, created)
	case err == nil && string(id) == name, chainName().MatchString(name):
		c.entry, c.err = wallet.FromForeign(r.ID, coin, r.JSON, created)
		c.warn("%s is not signed for yet: the entry is kept as it is", name)
	default:
		c.err = fmt.Errorf("its chain is %.40q, which is none that Tatum KMS knows", name)
	}
	return c
}

// chainName is what a chain's name looks like: KMS of another version may
// know more of them.
func chainName() *regexp.Regexp { return regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,19}$`) }

// network reads the testnet flag as JavaScript does: missing, null, 0 and ""
// are mainnet, any other value is testnet.
func (c *converted) network(r Record) chain.Network {
	switch raw := r.get("testnet"); string(raw) {
	case "true":
		return chain.Testnet
	case "false":
		return chain.Mainnet
	case "":
		c.warn("it does not say whether it is testnet: taken for mainnet, as Tatum KMS takes it")
		return chain.Mainnet
	case "null", "0", "-0", "0.0", `""`:
		c.warn("its testnet field is %s: taken for mainnet, as Tatum KMS takes it", raw)
		return chain.Mainnet
	}
	c.warn("its testnet field is not true or false: taken for testnet, as Tatum KMS takes it")
	return chain.Testnet
}

// keys converts an entry of a chain that is signed for.
func (c *converted) keys(r Record, coin hd.Coin, created time.Time) error {
	mnemonic, err := r.text("mnemonic")
	if err != nil {
		return err
	}
	wif, err := r.text("privateKey")
	if err != nil {
		return err
	}
	switch {
	case mnemonic != "" && wif != "":
		return errors.New("it has both a mnemonic and a private key")
	case mnemonic != "":
		return c.mnemonic(r, coin, []byte(mnemonic), created)
	case wif != "":
		return c.privateKey(r.ID, coin, []byte(wif), created)
	}
	return errors.New("it has neither a mnemonic nor a private key")
}

// noXPub is what files of old versions of KMS have where no extended public
// key was known.
const noXPub = "xpub-unknown"

// mnemonic takes the words as they are, since every byte of them counts. What
// proves that no bit of them changed is the extended public key or, where the
// file has none, the checksum in the last word.
func (c *converted) mnemonic(r Record, coin hd.Coin, words []byte, created time.Time) error {
	defer clear(words)
	xpub, err := r.text("xpub")
	if err != nil {
		return err
	}
	unsound := hd.CheckMnemonic(words)
	recorded := xpub != "" && xpub != noXPub
	if unsound != nil && !recorded {
		return fmt.Errorf("%w, and there is no extended public key to check it by", unsound)
	}
	entry, err := wallet.FromMnemonic(r.ID, coin, words, nil, created)
	switch {
	case err != nil:
		return err
	case recorded && entry.XPub != xpub:
		return fmt.Errorf("its xpub is not that of its mnemonic on %s: one of them was changed", coin.Coin)
	case !recorded:
		c.warn("no extended public key was recorded to compare with; the words have a right checksum")
	case unsound != nil:
		c.warn("%v; Tatum KMS takes such words, so their keys are kept", unsound)
	}
	c.entry = entry
	return nil
}

func (c *converted) privateKey(sigID string, coin hd.Coin, wif []byte, created time.Time) error {
	defer clear(wif)
	key, compressed, err := hd.DecodeWIF(wif, coin)
	if err != nil {
		return err
	}
	defer clear(key)
	c.entry, err = wallet.FromKey(sigID, coin, key, compressed, created)
	return err
}
