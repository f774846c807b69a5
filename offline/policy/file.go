package policy

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

// ErrInvalid is returned for a file that is no policy.
var ErrInvalid = errors.New("policy is invalid")

// MaxSize bounds a policy file, in bytes.
const MaxSize = 1 << 20

// version is the version of the file format.
const version = 1

// file is a policy as it is written: docs/POLICY.md explains each field.
// Amounts are integers of the chain's smallest unit.
type file struct {
	Version        int         `json:"version"`
	Name           string      `json:"name,omitempty"`
	Chains         []coinRules `json:"chains"`
	Allow          []entry     `json:"allow,omitempty"`
	Deny           []entry     `json:"deny,omitempty"`
	Unlisted       mode        `json:"unlisted"`
	NewDestination mode        `json:"newDestination"`
	LookAlike      mode        `json:"lookAlike"`
	SamePayment    mode        `json:"samePayment"`
	Unproven       mode        `json:"unproven"`
	Replacement    mode        `json:"replacement"`
	Data           mode        `json:"data"`
	Nonstandard    mode        `json:"nonstandard"`
	LockTime       mode        `json:"lockTime"`
	Replaceable    mode        `json:"replaceable"`
	MaxRequestAge  *int64      `json:"maxRequestAgeHours,omitempty"`
	RequireOffline bool        `json:"requireOffline"`
	LedgerCheck    bool        `json:"requireLedgerCheck,omitempty"` // left out if false: files of before keep their hash
	Approvers      *approvers  `json:"approvers,omitempty"`

	// Rules of later versions are left out of the canonical file where they
	// were not written, so that the files of before keep their hashes.
	OwnTransfers *ownTransfers `json:"ownTransfers,omitempty"`
	SharedKeys   ownMode       `json:"sharedKeys,omitempty"`
	Unusual      *unusualRules `json:"unusual,omitempty"`
}

// coinRules are those of one chain on one network.
type coinRules struct {
	Chain             chain.ID      `json:"chain"`
	Network           string        `json:"network"`
	MaxFeeRate        *chain.Amount `json:"maxFeeRate"` // per vB
	MaxFee            *chain.Amount `json:"maxFee,omitempty"`
	MaxFeePercent     *int64        `json:"maxFeePercent,omitempty"` // of what is paid out
	Limits            []limit       `json:"limits,omitempty"`
	DestinationLimits []limit       `json:"destinationLimits,omitempty"` // for each destination
	Quorum            []quorum      `json:"quorum,omitempty"`
	Tokens            []tokenRules  `json:"tokens,omitempty"`
}

// tokenRules are those of one token of the coin. One that is not named is
// refused.
type tokenRules struct {
	Token  string  `json:"token"`
	Limits []limit `json:"limits,omitempty"`
}

// limit bounds what is paid in a window.
type limit struct {
	Per   window        `json:"per"`
	Sum   *chain.Amount `json:"sum,omitempty"`
	Count *int64        `json:"count,omitempty"` // of payments
}

// quorum asks for operators once more than a sum is paid in a window.
type quorum struct {
	Per       window       `json:"per"`
	Above     chain.Amount `json:"above"`
	Operators int          `json:"operators"`
}

func (c coinRules) coin() chain.Coin {
	return chain.Coin{Chain: c.Chain, Network: chain.NetworkNamed(c.Network)}
}

// approvers are those who vouch for the content of items.
type approvers struct {
	Needed int        `json:"needed"`
	Keys   []approver `json:"keys"`
}

type approver struct {
	Name string    `json:"name,omitempty"`
	Key  publicKey `json:"key"`
}

// publicKey is an Ed25519 key, in hex.
type publicKey identity.Public

func (k publicKey) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(k[:])), nil }

func (k *publicKey) UnmarshalText(text []byte) error {
	if hex.DecodedLen(len(text)) != len(k) {
		return errors.New("a key is 64 hexadecimal digits")
	}
	if _, err := hex.Decode(k[:], text); err != nil {
		return err
	}
	return identity.Public(*k).Check()
}

// mode is what is done about something: "allow", "flag" or "refuse".
type mode string

const (
	modeAllow  mode = "allow"
	modeFlag   mode = "flag"
	modeRefuse mode = "refuse"
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *mode) UnmarshalText(text []byte) error {
	switch *m = mode(text); *m {
	case modeAllow, modeFlag, modeRefuse:
		return nil
	}
	return fmt.Errorf(`%.20q is none of "allow", "flag" and "refuse"`, text)
}

// window is over what a limit counts: one transaction, one batch, or the
// batch together with what was signed in the last 24 hours or 7 days.
type window string

const (
	perTransaction window = "transaction"
	perBatch       window = "batch"
	perDay         window = "day"
	perWeek        window = "week"
)

// Parse reads a policy file. Fields that are unknown, written twice or of the
// wrong type, null, and whatever follows the file are errors.
func Parse(coins Coins, raw []byte) (Policy, error) {
	if len(raw) > MaxSize {
		return Policy{}, fmt.Errorf("%w: it has more than %d bytes", ErrInvalid, MaxSize)
	}
	f, err := decode(raw)
	if err == nil {
		f.fill(coins)
		err = f.normalise(coins)
	}
	if err != nil {
		return Policy{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	p, err := compile(coins, f)
	if err != nil {
		return Policy{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return p, nil
}

// Load reads a policy from its canonical file, byte for byte as Canonical
// gave it. Anything else is an error.
func Load(coins Coins, raw []byte) (Policy, error) {
	p, err := Parse(coins, raw)
	if err != nil {
		return Policy{}, err
	}
	canonical, err := p.Canonical()
	if err != nil {
		return Policy{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if !bytes.Equal(raw, canonical) {
		return Policy{}, fmt.Errorf("%w: it is not in its one encoding", ErrInvalid)
	}
	return p, nil
}

func (f file) encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(f); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// fill spells out what was left to its default.
func (f *file) fill(coins Coins) {
	for _, m := range f.modes() {
		if *m.mode == "" {
			*m.mode = m.usual
		}
	}
	for i := range f.Chains {
		c := &f.Chains[i]
		if coin, ok := coins.Coin(c.coin()); ok && c.MaxFeeRate == nil {
			rate := coin.FeeRateCap()
			c.MaxFeeRate = &rate
		}
	}
	f.OwnTransfers.fill()
}

// modeField is one of the fields that say allow, flag or refuse.
type modeField struct {
	name   string
	mode   *mode
	usual  mode   // where the file says nothing
	strict bool   // cannot be let through unflagged
	about  string // what it is done about
}

// explain says what is done about what the field is for.
func (m modeField) explain() string {
	switch *m.mode {
	case modeAllow:
		return m.about + " is let through."
	case modeFlag:
		return m.about + " is flagged."
	}
	return m.about + " is refused."
}

// everyCoin is what is signed for while no policy names fewer.
func everyCoin(coins Coins) []coinRules {
	var list []coinRules
	for _, c := range slices.SortedFunc(slices.Values(coins.Coins()), chain.Coin.Compare) {
		list = append(list, coinRules{Chain: c.Chain, Network: c.Network.String()})
	}
	return list
}
