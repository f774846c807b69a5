package policy

import "fmt"

// denied is the list of destinations that are never paid: by name, and by what
// all scripts of one key have in common, so that a denied address is not paid
// by another address of its key.
type denied struct {
	coins Coins
	names map[destination]entry
	forms map[destination]entry // coin, and one of its KeyForms
}

func deny(coins Coins, list []entry) denied {
	d := denied{coins, make(map[destination]entry, len(list)), make(map[destination]entry, 2*len(list))}
	for _, e := range list {
		d.names[e.destination()] = e
		coin, _ := coins.Coin(e.coin()) // normalise has seen to it that there is one
		for _, form := range coin.ListedForms(e.lock) {
			d.forms[destination{e.coin(), form}] = e
		}
	}
	return d
}

// find returns the entry that denies a destination with this lock.
func (d denied) find(to destination, lock []byte) (entry, bool) {
	if e, is := d.names[to]; is {
		return e, true
	}
	if len(d.forms) == 0 {
		return entry{}, false
	}
	coin, ok := d.coins.Coin(to.Coin)
	if !ok {
		return entry{}, false
	}
	for _, form := range coin.KeyForms(lock) {
		if e, is := d.forms[destination{to.Coin, form}]; is {
			return e, true
		}
	}
	return entry{}, false
}

// denies returns the entry that denies what another one is for.
func (p Policy) denies(e entry) (entry, bool) {
	return p.deny.find(e.destination(), e.lock)
}

// words say why an entry denies a destination.
func (e entry) words(to destination) string {
	if denies := e.destination(); denies != to {
		return fmt.Sprintf("which pays the same key as %s%s, and policy denies it", denies.to, quoted(e.Label))
	}
	return "which policy denies" + quoted(e.Label)
}
