package journal

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"coldkms/shared/chain"
)

// An item may be withheld for several reasons at a time. One of them is shown, and
// the others stand beside it: each has to come to its own end before the item goes
// on. A veto is on record by itself (approvals.go), and shown while there is no
// other reason.

// Marked reports whether an item is withheld for one of these reasons.
func (it Item) Marked(codes ...chain.Code) bool {
	return slices.ContainsFunc(it.Marks(), func(m chain.Code) bool { return slices.Contains(codes, m) })
}

// Marks returns all reasons that an item is withheld for, first the one that is shown.
func (it Item) Marks() []chain.Code {
	if it.Withheld == "" {
		return nil
	}
	return append([]chain.Code{it.Withheld}, it.Beside...)
}

// Unmark takes reasons off the item in memory, as Unwithhold does in the journal.
func (it *Item) Unmark(codes ...chain.Code) {
	m := marks{it.Withheld, slices.Clone(it.Beside)}
	m.remove(codes)
	it.Withheld, it.Beside = m.shown, m.beside
}

// Withhold keeps an item from the signer and the network until Unwithhold; code
// says why. An earlier reason is shown before it, unless it is one of over; either
// way both stand.
func (j *Journal) Withhold(ctx context.Context, id string, code chain.Code, over ...chain.Code) error {
	return j.remark(ctx, "withhold", id, func(m *marks) { m.add(code, over) })
}

// WithholdFor is Withhold for a reason that replaces others, and is shown.
func (j *Journal) WithholdFor(ctx context.Context, id string, code chain.Code, instead ...chain.Code) error {
	return j.remark(ctx, "withhold", id, func(m *marks) {
		m.remove(instead)
		m.show(code)
	})
}

// Unwithhold takes reasons to be withheld off an item, which goes on once no other
// one is left. A veto stands.
func (j *Journal) Unwithhold(ctx context.Context, id string, reasons ...chain.Code) error {
	return j.remark(ctx, "unwithhold", id, func(m *marks) { m.remove(reasons) })
}

// remark changes the reasons that an item is withheld for.
func (j *Journal) remark(ctx context.Context, what, id string, do func(*marks)) error {
	return j.change(ctx, what, func(t tx) error {
		var shown chain.Code
		var beside string
		err := t.QueryRowContext(ctx, "SELECT withheld, beside FROM items WHERE id = ? {locked}", id).
			Scan(&shown, &beside)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		m := marks{shown, besideOf(beside)}
		if m.shown == Vetoed {
			m.shown = ""
		}
		if do(&m); m.shown == "" {
			_, err = t.ExecContext(ctx, "UPDATE items SET beside = '', withheld = "+unlessVetoed+" WHERE id = ?", id)
			return err
		}
		_, err = t.ExecContext(ctx, "UPDATE items SET withheld = ?, beside = ? WHERE id = ?",
			words(string(m.shown)), words(m.text()), id)
		return err
	})
}

// unlessVetoed is what an item is withheld for where no other reason is left.
const unlessVetoed = "CASE WHEN EXISTS (SELECT 1 FROM vetoes v WHERE v.id = items.id) " +
	"THEN 'four-eye-refused' ELSE '' END"

// marks are the reasons to withhold an item, without a veto.
type marks struct {
	shown  chain.Code // "" if there is none at all
	beside []chain.Code
}

func (m *marks) add(code chain.Code, over []chain.Code) {
	if m.shown == "" || m.shown == code || slices.Contains(over, m.shown) {
		m.show(code)
	} else if !slices.Contains(m.beside, code) {
		m.beside = append(m.beside, code)
	}
}

// show makes code the reason that is shown, and moves the one before beside it.
func (m *marks) show(code chain.Code) {
	if m.shown != "" && m.shown != code {
		m.beside = append(m.beside, m.shown)
	}
	m.shown = code
	m.beside = slices.DeleteFunc(m.beside, func(c chain.Code) bool { return c == code })
}

func (m *marks) remove(reasons []chain.Code) {
	gone := func(c chain.Code) bool { return slices.Contains(reasons, c) }
	m.beside = slices.DeleteFunc(m.beside, gone)
	if !gone(m.shown) {
		return
	}
	m.shown = ""
	if n := len(m.beside); n > 0 {
		m.shown, m.beside = m.beside[n-1], m.beside[:n-1]
	}
}

// text is the column of those that stand beside the shown one: each between spaces,
// so that a query finds whole ones.
func (m marks) text() string {
	var b strings.Builder
	for _, c := range m.beside {
		b.WriteString(" " + string(c) + " ")
	}
	return b.String()
}

func besideOf(text string) []chain.Code {
	var list []chain.Code
	for _, f := range strings.Fields(text) {
		list = append(list, chain.Code(f))
	}
	return list
}
