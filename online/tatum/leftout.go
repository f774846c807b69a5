package tatum

import (
	"encoding/json"
	"fmt"

	"coldkms/shared/chain"
	"coldkms/shared/pending"
)

// maxLeftOut is how many elements that are left out of a list are told one by
// one.
const maxLeftOut = 20

// leftOut gathers what is left out of a list, in little memory however much it
// is.
type leftOut struct {
	told        []error
	more        int
	junk, first int // elements that are no pending transaction, and where the first is
}

// leaves reports whether an element is left out.
func (l *leftOut) leaves(c *Client, e pending.Element) bool {
	switch {
	case e.Err != nil:
		l.tell(e, e.Err)
	case !isNamed(e.Raw):
		if l.junk++; l.junk == 1 {
			l.first = e.At
		}
	case c.secrets.In(e.Raw):
		l.tell(e, chain.Refuse(chain.Malformed, "it has the API key in it"))
	default:
		return false
	}
	return true
}

func (l *leftOut) tell(e pending.Element, why error) {
	if len(l.told) == maxLeftOut {
		l.more++
		return
	}
	l.told = append(l.told, fmt.Errorf("element %d of the list is left out: %w", e.At, why))
}

func (l *leftOut) errors() []error {
	all := l.told
	if l.more > 0 {
		all = append(all, chain.Refuse(chain.Malformed, "%d more elements of the list are left out", l.more))
	}
	if l.junk > 0 {
		all = append(all, chain.Refuse(chain.Malformed, "%d elements of the list are no objects with an id, the first is element %d", l.junk, l.first))
	}
	return all
}

// isNamed reports whether an element is an object with an id that an item can have.
func isNamed(raw json.RawMessage) bool {
	var named struct {
		ID *string `json:"id"`
	}
	return len(raw) > len(`{"id":""}`) && raw[0] == '{' && json.Unmarshal(raw, &named) == nil && named.ID != nil && pending.ValidSignatureID(*named.ID)
}
