package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"coldkms/shared/chain"
)

// The kinds of line.
const (
	KindGenesis  = "genesis"
	KindUpgraded = "upgraded" // lines are authenticated from here on
	KindAsked    = "asked"    // a batch was asked for that needs operators
	KindReviewed = "reviewed" // a batch was judged and shown
	KindAgreed   = "agreed"   // a person, or those who reviewed it before, said yes to a batch
	KindApproved = "approved" // one operator approved a batch
	KindDeclined = "declined" // the person said no to a batch
	KindLeftOut  = "left-out" // the person took items out of a batch that operators approve
	KindSigned   = "signed"
	KindRefused  = "refused"
	KindReleased = "released" // a person freed what a signed transaction spends
	KindAccepted = "accepted" // a person knows that this ledger was rolled back
	KindClock    = "clock"    // a person set the ledger's clock back to the machine's
	KindPolicy   = "policy"   // another policy is in force
	KindOperator = "operator" // an operator was added or removed
	KindWallet   = "wallet"   // something was done to the wallet; Act says what
)

// What is done to a wallet: the Act of a KindWallet line.
const (
	ActAdd      = "add" // keys made or typed in
	ActImport   = "import"
	ActRemove   = "remove"
	ActPassword = "password"
	ActPair     = "pair"
	ActUnpair   = "unpair"
	ActBackup   = "backup" // begun: the line is in the copy
	ActNoBackup = "backup-failed"
	ActUpgrade  = "upgrade" // a wallet of before learnt that its ledger was upgraded
	ActRestore  = "restore"
	ActLost     = "lost"     // a person knows that keys which were added are not in the wallet
	ActShow     = "show"     // a secret was shown
	ActSettle   = "settle"   // a person knows that the wallet was written before something was taken from it
	ActLeftOut  = "left-out" // of a refused line: a left-out line follows, which ends the rounds
	ActDiscard  = "discard"  // of a declined line: what an earlier session decided could not be read
)

// Line is one record. Fields that a kind does not use are left out.
type Line struct {
	N         uint64     `json:"n"` // 1, 2, 3, …
	Prev      string     `json:"prev"`
	Time      string     `json:"time"`  // RFC 3339, the machine's clock: for people only
	Clock     int64      `json:"clock"` // Unix seconds, the ledger's own clock: see Ledger.Now
	Kind      string     `json:"kind"`
	Version   int        `json:"version,omitempty"` // genesis, upgraded: of the format from here on
	Act       string     `json:"act,omitempty"`
	Signer    string     `json:"signer,omitempty"`   // genesis: fingerprint
	Relay     string     `json:"relay,omitempty"`    // fingerprint
	Seen      uint64     `json:"seen,omitempty"`     // line of this ledger that the relay had seen last
	Request   string     `json:"request,omitempty"`  // batch digest
	Policy    string     `json:"policy,omitempty"`   // hash of the policy in force
	Judged    string     `json:"judged,omitempty"`   // digest of what was shown of each item, and of its verdict
	Round     string     `json:"round,omitempty"`    // nonce that approvals of this batch name
	Left      []string   `json:"left,omitempty"`     // pending ids that are taken out
	Declined  []string   `json:"declined,omitempty"` // declined: beginnings of the contents of its items, see Brief
	Marks     []string   `json:"marks,omitempty"`    // asked, declined: its items, see MarkID and MarkOutpoint
	Scope     string     `json:"scope,omitempty"`    // agreed, of a large batch: digest of which items are signed
	Items     int        `json:"items,omitempty"`
	ID        string     `json:"id,omitempty"`   // pending id, or signature id
	Keys      []string   `json:"keys,omitempty"` // wallet: signature ids, where there are several
	Chain     chain.ID   `json:"chain,omitempty"`
	Network   string     `json:"network,omitempty"`
	Content   string     `json:"content,omitempty"` // digest of what was signed
	TxID      string     `json:"txId,omitempty"`
	Final     string     `json:"final,omitempty"`   // SHA-256 of the finished transaction, witness included
	Bare      string     `json:"bare,omitempty"`    // digest of the transaction alone; none if nothing is claimed
	Claimed   []Claim    `json:"claimed,omitempty"` // sources that were not proven
	Spent     []string   `json:"spent,omitempty"`   // exclusive ids
	From      []Supply   `json:"from,omitempty"`    // own keys that signed
	Paid      []Payment  `json:"paid,omitempty"`    // what each movement pays beyond change
	Own       []Own      `json:"own,omitempty"`     // movements to own keys, change included
	Fee       *Amount    `json:"fee,omitempty"`     // smallest units
	Burnt     Amount     `json:"burnt,omitzero"`    // what nobody can ever spend; counts as fee
	Size      int64      `json:"size,omitempty"`    // signed: what the fee rate is per; none in lines of before
	Code      chain.Code `json:"code,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	Approval  string     `json:"approval,omitempty"`  // how the person agreed: "typed" or "digest"
	Operators []string   `json:"operators,omitempty"` // who approved: name and key of each
	Head      string     `json:"head,omitempty"`      // accepted: the head that this ledger does not contain
	Until     uint64     `json:"until,omitempty"`     // last of several lines that were written at once
}

// coin is what the item of a line is of.
func (l Line) coin() chain.Coin {
	return chain.Coin{Chain: l.Chain, Network: chain.NetworkNamed(l.Network)}
}

// Claim is what a request said of a source that it did not prove.
type Claim = chain.Claim

// Amount is an amount in smallest units.
type Amount = chain.Amount

// Payment is one movement as the ledger remembers it.
type Payment struct {
	To    string `json:"to"`              // canonical name of the destination
	Token string `json:"token,omitempty"` // of the coin; none: the coin itself
	Value Amount `json:"value"`
}

// Supply is what one own key supplied.
type Supply struct {
	Key   string `json:"key"` // signature id
	Index *int64 `json:"index,omitempty"`
	Token string `json:"token,omitempty"`
	Value Amount `json:"value"`
}

// Own is one movement to an own key.
type Own struct {
	Key    string   `json:"key"` // signature id
	Index  *int64   `json:"index,omitempty"`
	Also   []string `json:"also,omitempty"` // other entries that hold this key
	To     string   `json:"to"`
	Token  string   `json:"token,omitempty"`
	Value  Amount   `json:"value"`
	Change Amount   `json:"change"`        // how much of Value is change; the rest is in Paid
	Far    bool     `json:"far,omitempty"` // a person signed it under the finding that its index is far
}

// maxReason bounds the words of a line, in bytes: a fault's text may quote
// what came from outside.
const maxReason = 1024

// clean makes the texts of a line fit for JSON that reads back as it was
// written, and bounds those that come from elsewhere.
func (l *Line) clean() {
	for _, s := range []*string{&l.ID, &l.Reason, &l.Network} {
		*s = strings.ToValidUTF8(*s, "\uFFFD")
	}
	if len(l.Reason) > maxReason {
		cut := maxReason
		for !utf8.RuneStart(l.Reason[cut]) {
			cut--
		}
		l.Reason = l.Reason[:cut] + "…"
	}
}

// Version is the version of the ledger's format. Lines of version 1 have no
// authentication code.
const Version = 2

const (
	lineTagV1 = "coldkms ledger v1\n"
	lineTag   = "coldkms ledger v2\n"
)

// record is one line as it is stored.
type record struct {
	line  Line
	sum   [sha256.Size]byte // its hash
	code  [sha256.Size]byte // its authentication code
	keyed bool              // whether it has one
}

const hexSize = 2 * sha256.Size

func hashLine(tag string, body []byte) [sha256.Size]byte {
	return sha256.Sum256(append([]byte(tag), body...))
}

// splitLine returns the hash, the authentication code and the JSON of a line
// without its line feed; code is nil in a line of version 1.
func splitLine(raw []byte) (hash, code, body []byte, err error) {
	if len(raw) < hexSize+2 || raw[hexSize] != ' ' {
		return nil, nil, nil, errors.New("not a line of a ledger")
	}
	hash, body = raw[:hexSize], raw[hexSize+1:]
	if body[0] == '{' {
		return hash, nil, body, nil
	}
	if len(body) < hexSize+2 || body[hexSize] != ' ' {
		return nil, nil, nil, errors.New("not a line of a ledger")
	}
	return hash, body[:hexSize], body[hexSize+1:], nil
}

// parseLine reads one line without its line feed, and checks its hash. Its
// authentication code is for the caller to check.
func parseLine(raw []byte) (r record, err error) {
	hash, code, body, err := splitLine(raw)
	if err != nil {
		return record{}, err
	}
	tag := lineTagV1
	if code != nil {
		tag, r.keyed = lineTag, true
		if _, err := hex.Decode(r.code[:], code); err != nil || hex.EncodeToString(r.code[:]) != string(code) {
			return record{}, errors.New("its authentication code cannot be read")
		}
	}
	r.sum = hashLine(tag, body)
	if string(hash) != hex.EncodeToString(r.sum[:]) {
		return record{}, errors.New("its hash does not fit")
	}
	return r, strictJSON(body, &r.line)
}

func strictJSON(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	again, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(b, again) {
		return errors.New("not in its one encoding")
	}
	return nil
}
