package policy

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"coldkms/shared/chain"
)

// ErrNone is returned if there is no policy in force to change.
var ErrNone = errors.New("there is no policy in force that could be changed")

// Payee is an entry of the list of destinations that are known.
type Payee struct {
	Name    string `json:"name"`
	Chain   string `json:"chain"`
	Network string `json:"network"`
	Address string `json:"address"` // or the script in hex, where there is no address

	Limit     *chain.Amount `json:"limit,omitempty"`     // smallest units that one batch may pay it at most
	EveryDays *int64        `json:"everyDays,omitempty"` // how often it is paid
}

// String names a payee in a line.
func (p Payee) String() string {
	line := fmt.Sprintf("%s %s %s%s", p.Chain, p.Network, p.Address, quoted(p.Name))
	if p.Limit != nil {
		line += fmt.Sprintf(", at most %s smallest units in a batch", p.Limit)
	}
	if p.EveryDays != nil {
		line += fmt.Sprintf(", every %s", chain.Count(*p.EveryDays, "day"))
	}
	return line
}

// Payees lists the destinations that the policy knows.
func (p Policy) Payees() []Payee {
	list := make([]Payee, 0, len(p.file.Allow))
	for _, e := range p.file.Allow {
		list = append(list, Payee{Name: e.Label, Chain: string(e.Chain), Network: e.Network,
			Address: cmp.Or(e.Address, e.Script), Limit: e.Limit, EveryDays: e.EveryDays})
	}
	return list
}

// WithPayees returns the policy with other entries on its list: what is added
// replaces an entry of the same destination. Everything is checked as in a file.
func (p Policy) WithPayees(add []Payee, remove ...string) (Policy, error) {
	if p.of == nil {
		return Policy{}, ErrNone
	}
	f := p.file
	f.Allow = slices.Clone(f.Allow)
	for _, address := range remove {
		before := len(f.Allow)
		f.Allow = slices.DeleteFunc(f.Allow, func(e entry) bool { return e.is(p.of, address) })
		if len(f.Allow) == before {
			return Policy{}, fmt.Errorf("no payee with the address or name %.100q", address)
		}
	}
	for _, payee := range add {
		e := payee.entry()
		if err := e.normalise(p.of); err != nil {
			return Policy{}, fmt.Errorf("payee %.100q: %w", payee.Name, err)
		}
		f.Allow = slices.DeleteFunc(f.Allow, func(old entry) bool { return old.destination() == e.destination() })
		f.Allow = append(f.Allow, e)
	}
	if err := f.normalise(p.of); err != nil {
		return Policy{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	raw, err := f.encode()
	if err != nil {
		return Policy{}, err
	}
	return Parse(p.of, raw)
}

// is reports whether an entry has this address, in any form, or this name.
func (e entry) is(coins Coins, what string) bool {
	if what == e.Address || what == e.Script || what == e.Label {
		return true
	}
	coin, ok := coins.Coin(e.coin())
	if !ok {
		return false
	}
	lock, err := coin.LockOf(what)
	return err == nil && coin.NameOf(lock) == e.name
}

func (p Payee) entry() entry {
	return entry{Label: p.Name, Chain: chain.ID(p.Chain), Network: p.Network, Address: p.Address, Limit: p.Limit,
		EveryDays: p.EveryDays}
}

// The columns of a list of payees. Only the first three have to be there.
const payeeColumns = "name,address,coin,network,limit,everyDays"

// ReadPayees reads a list of payees: CSV with a line that names its columns. A
// limit is in units of the coin, such as 0.25. Every line has to be right: the
// error names the first that is not.
func ReadPayees(coins Coins, from io.Reader) ([]Payee, error) {
	r := csv.NewReader(io.LimitReader(from, 4*MaxSize))
	header, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("the first line names the columns: %s: %w", payeeColumns, err)
	}
	at, err := columns(header)
	if err != nil {
		return nil, err
	}
	var list []Payee
	seen := make(map[destination]int)
	for line := 2; ; line++ {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		var p Payee
		if err == nil {
			p, err = readPayee(coins, at, record)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		e := p.entry()
		if err := e.normalise(coins); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if first, twice := seen[e.destination()]; twice {
			return nil, fmt.Errorf("line %d: the address of line %d again", line, first)
		}
		seen[e.destination()] = line
		list = append(list, p)
	}
}

// columns maps the name of each column to its place.
func columns(header []string) (map[string]int, error) {
	at := make(map[string]int)
	for i, name := range header {
		name = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
		if _, twice := at[name]; twice || !slices.Contains(strings.Split(payeeColumns, ","), name) {
			return nil, fmt.Errorf("column %.40q is there twice or not known: the columns are %s", name, payeeColumns)
		}
		at[name] = i
	}
	for _, name := range []string{"name", "address", "coin"} {
		if _, have := at[name]; !have {
			return nil, fmt.Errorf("column %s is missing", name)
		}
	}
	return at, nil
}

func readPayee(coins Coins, at map[string]int, record []string) (Payee, error) {
	field := func(name string) string {
		if i, have := at[name]; have {
			return strings.TrimSpace(record[i])
		}
		return ""
	}
	p := Payee{Name: field("name"), Chain: field("coin"), Network: cmp.Or(field("network"), "mainnet"),
		Address: field("address")}
	coin, ok := coins.Coin(p.entry().coin())
	if !ok {
		return Payee{}, fmt.Errorf("%.20q %.20q is not a coin and network that this program signs for", p.Chain, p.Network)
	}
	if p.Name == "" {
		return Payee{}, errors.New("the name is missing")
	}
	if text := field("limit"); text != "" {
		limit, err := coin.Asset().Parse(text)
		if err != nil {
			return Payee{}, fmt.Errorf("limit %.40q: %w", text, err)
		}
		p.Limit = &limit
	}
	if text := field("everyDays"); text != "" {
		days, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return Payee{}, fmt.Errorf("everyDays %.40q is no whole number of days", text)
		}
		p.EveryDays = &days
	}
	return p, nil
}
