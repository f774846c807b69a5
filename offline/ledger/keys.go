package ledger

import (
	"slices"
	"strings"
)

// maxKeys bounds the keys that one line names: a longer list takes several.
const maxKeys = 10_000

// KeyLines returns the lines about keys that are added to a wallet.
func KeyLines(act string, ids []string) (list []Line) {
	for part := range slices.Chunk(ids, maxKeys) {
		line := Line{Kind: KindWallet, Act: act}
		if len(ids) == 1 {
			line.ID = part[0]
		} else {
			line.Items, line.Keys = len(part), part
		}
		list = append(list, line)
	}
	return list
}

// KeyIn is a key that the lines say was added to the wallet.
type KeyIn struct {
	ID string
	At
}

// holding is what the lines say about the keys in the wallet.
type holding struct {
	keys    map[string]keyLine
	unnamed int // keys that earlier versions recorded as a number, and that were not removed
}

// keyLine is the last line about a key.
type keyLine struct {
	at   At
	is   bool // in the wallet, by that line
	lost bool // a person knows that it is not
}

// hold follows a line about the wallet.
func (h *holding) hold(line Line) {
	ids := line.Keys
	if line.ID != "" {
		ids = append(slices.Clip(ids), line.ID)
	}
	at := At{line.N, line.Time}
	switch line.Act {
	case ActAdd, ActImport, ActRestore:
		for _, id := range ids {
			h.keys[id] = keyLine{at: at, is: true}
		}
		if len(ids) == 0 {
			h.unnamed += line.Items
		}
	case ActRemove:
		for _, id := range ids {
			if _, named := h.keys[id]; !named {
				h.unnamed = max(h.unnamed-1, 0)
			}
			h.keys[id] = keyLine{at: at}
		}
	case ActLost:
		for _, id := range ids {
			h.keys[id] = keyLine{at: at, lost: true}
		}
		h.unnamed = max(h.unnamed-line.Items, 0)
	}
}

// KeysIn lists the keys that are in the wallet by the last line about each, by
// their ids.
func (h *holding) KeysIn() []KeyIn { return h.list(func(k keyLine) bool { return k.is }) }

// KeyGone returns the last line about a key that was in the wallet and is not
// any more; ok is false for any other id.
func (h *holding) KeyGone(id string) (at At, ok bool) {
	k, named := h.keys[id]
	return k.at, named && !k.is
}

// LostKeys lists the keys of which a person knows that the wallet lost them.
func (h *holding) LostKeys() []KeyIn { return h.list(func(k keyLine) bool { return k.lost }) }

func (h *holding) list(wanted func(keyLine) bool) (list []KeyIn) {
	for id, k := range h.keys {
		if wanted(k) {
			list = append(list, KeyIn{id, k.at})
		}
	}
	slices.SortFunc(list, func(x, y KeyIn) int { return strings.Compare(x.ID, y.ID) })
	return list
}

// RemovedKey reports whether a person removed a key, by the last line about it.
func (h *holding) RemovedKey(id string) bool {
	k, named := h.keys[id]
	return named && !k.is && !k.lost
}

// UnnamedMissing returns how many of the keys that earlier versions recorded as
// a number only are not among those of a wallet.
func (h *holding) UnnamedMissing(ids []string) int {
	have := 0
	for _, id := range ids {
		if _, named := h.keys[id]; !named {
			have++
		}
	}
	return max(h.unnamed-have, 0)
}
