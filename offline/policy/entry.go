package policy

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"coldkms/shared/chain"
)

// entry is a destination on a list.
type entry struct {
	Label   string   `json:"label,omitempty"`
	Chain   chain.ID `json:"chain"`
	Network string   `json:"network"`
	Address string   `json:"address,omitempty"`
	Script  string   `json:"script,omitempty"` // lock in hex, where there is no address

	// What the list of those who are paid says of this one.
	Limit     *chain.Amount `json:"limit,omitempty"`     // of a batch
	EveryDays *int64        `json:"everyDays,omitempty"` // how often it is paid

	lock []byte // normalise fills in these
	name string
}

func (e entry) coin() chain.Coin {
	return chain.Coin{Chain: e.Chain, Network: chain.NetworkNamed(e.Network)}
}

func (e entry) destination() destination { return destination{e.coin(), e.name} }

// normaliseList brings each entry into the form that its destination has in
// facts and in the ledger, so that all ways to write an address are equal.
func normaliseList(coins Coins, name string, list []entry) error {
	for i := range list {
		if err := list[i].normalise(coins); err != nil {
			return fmt.Errorf("%s, entry %d: %w", name, i+1, err)
		}
		if e := list[i]; name == "deny" && (e.Limit != nil || e.EveryDays != nil) {
			return fmt.Errorf("%s, entry %d: a limit or a rhythm of somebody who is never paid", name, i+1)
		}
	}
	slices.SortFunc(list, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Network, b.Network),
			cmp.Compare(a.destination().to, b.destination().to))
	})
	for i := range list {
		if i > 0 && list[i].destination() == list[i-1].destination() {
			return fmt.Errorf("%s: %s is there twice", name, list[i].destination().to)
		}
	}
	return nil
}

func (e *entry) normalise(coins Coins) error {
	if err := checkName(e.Label); err != nil {
		return fmt.Errorf("label: %w", err)
	}
	coin, ok := coins.Coin(e.coin())
	if !ok {
		return fmt.Errorf("%.20q %.20q is not a coin and network that this program signs for", string(e.Chain), e.Network)
	}
	if err := e.checkTerms(coin); err != nil {
		return err
	}
	lock, err := e.read(coin)
	if err != nil {
		return err
	}
	e.lock, e.name = lock, coin.NameOf(lock)
	if e.Address, e.Script = coin.Address(lock), ""; e.Address == "" {
		e.Script = hex.EncodeToString(lock)
	}
	return nil
}

// read returns the lock that an entry names.
func (e *entry) read(coin Coin) ([]byte, error) {
	if (e.Address == "") == (e.Script == "") {
		return nil, errors.New(`either "address" or "script"`)
	}
	if e.Address != "" {
		return coin.LockOf(e.Address)
	}
	script, err := hex.DecodeString(e.Script)
	if err != nil || len(script) > maxScript {
		return nil, errors.New("script is a scriptPubKey in hexadecimal digits")
	}
	return script, nil
}
