package policy

import (
	"fmt"

	"coldkms/shared/chain"
)

// denied is the list of destinations that are never paid: by name, and by what
// all scripts of one key have in common, so that a denied address is not paid
// by another address of its key.
type denied struct {
	names map[destination]entry
	forms map[destination]entry // coin, and one of utxo's KeyForms
}

func deny(list []entry) denied {
	d := denied{make(map[destination]entry, len(list)), make(map[destination]entry, 2*len(list))}
	for _, e := range list {
		at, script := e.destination().Coin, e.scriptPubKey()
		d.names[e.destination()] = e
		for _, form := range formsOf(at, script) {
			d.forms[destination{at, form}] = e
		}
		if p, ok := paramsOf(e.coin()); ok && p.TaprootForm(script) != "" {
			d.forms[destination{at, p.TaprootForm(script)}] = e
		}
	}
	return d
}

// formsOf lists the forms of the key that a script pays.
func formsOf(c chain.Coin, script []byte) []string {
	p, ok := paramsOf(c)
	if !ok {
		return nil
	}
	return p.KeyForms(script)
}

// find returns the entry that denies a destination with this script.
func (d denied) find(to destination, script []byte) (entry, bool) {
	if e, is := d.names[to]; is {
		return e, true
	}
	if len(d.forms) == 0 {
		return entry{}, false
	}
	for _, form := range formsOf(to.Coin, script) {
		if e, is := d.forms[destination{to.Coin, form}]; is {
			return e, true
		}
	}
	return entry{}, false
}

// denies returns the entry that denies what another one is for.
func (p Policy) denies(e entry) (entry, bool) {
	return p.deny.find(e.destination(), e.scriptPubKey())
}

// scriptPubKey is the script of an entry; normalise has seen to it that there
// is one.
func (e entry) scriptPubKey() []byte {
	p, _ := paramsOf(e.coin())
	script, _ := e.script(p)
	return script
}

// words say why an entry denies a destination.
func (e entry) words(to destination) string {
	if denies := e.destination(); denies != to {
		return fmt.Sprintf("which pays the same key as %s%s, and policy denies it", denies.to, quoted(e.Label))
	}
	return "which policy denies" + quoted(e.Label)
}
