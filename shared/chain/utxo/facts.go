package utxo

import (
	"bytes"
	"math"
	"strconv"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
)

// vBytes is what fee rates of the family are per.
const vBytes = "vB"

// A Keyring tells which scripts belong to the keys that an item names.
type Keyring interface {
	// Signs reports whether a key can sign for this scriptPubKey, and returns
	// the length of its public key in bytes.
	Signs(script []byte) (pubKeyLen int, ok bool)
	// Owner returns the key that the scriptPubKey belongs to, if it was
	// derived here.
	Owner(script []byte) (key chain.Key, ok bool)
	// Unused lists the named keys that sign none of the scripts.
	Unused(spent []Spent) []chain.Key
}

// Asset returns the coin as an asset.
func (p Params) Asset() chain.Asset {
	return chain.Asset{Coin: p.Coin, Symbol: string(p.Chain), Decimals: uint8(p.Decimals)}
}

// Largest is the highest amount that the family counts with, less one: a sum
// that does not fit is above it.
func (p Params) Largest() chain.Amount { return satoshi(math.MaxInt64 - 1) }

// FeeCap and FeeRateCap return the caps that are in force unless policy has others.
func (p Params) FeeCap() chain.Amount     { return satoshi(p.MaxFee) }
func (p Params) FeeRateCap() chain.Amount { return satoshi(p.MaxFeeRate) }

// LockOf is ScriptOf: the family knows a destination by its script.
func (p Params) LockOf(address string) ([]byte, error) { return p.ScriptOf(address) }

// NameOf returns the canonical name of the destination of a script.
func (p Params) NameOf(script []byte) string { return Destination(p.Address(script), script) }

// Prefix is what every segwit address begins with; "" where the coin has none.
func (p Params) Prefix() string {
	if p.HRP == "" {
		return ""
	}
	return p.HRP + "1"
}

// ListedForms is KeyForms, and the taproot form of a public key.
func (p Params) ListedForms(script []byte) []string {
	forms := p.KeyForms(script)
	if form := p.TaprootForm(script); form != "" {
		forms = append(forms, form)
	}
	return forms
}

// Commits reports whether a signature for a script commits to the amount and
// script of every input (BIP 341).
func (p Params) Commits(script []byte) bool { return p.KindOf(script) == P2TR }

// Coins lists the coins of the family.
func Coins() []chain.Coin {
	list := make([]chain.Coin, len(params))
	for i, p := range params {
		list[i] = p.Coin
	}
	return list
}

// Explain computes what the transaction does. Inputs that no key can sign
// are marked, not refused.
func (t *Tx) Explain(keys Keyring) chain.Facts {
	f := chain.Facts{
		Coin: t.params.Coin, Asset: t.params.Asset(),
		Fee: satoshi(t.sums.in - t.sums.out), Size: t.vsize(keys), Unit: vBytes,
		Exclusive: t.Outpoints(), UnusedKeys: keys.Unused(t.spent),
		Sources: make([]chain.Source, len(t.spent)), Movements: make([]chain.Movement, len(t.msg.TxOut)),
	}
	var of chain.Source // what the inputs spend that have one script: often all of them
	for i, s := range t.spent {
		if i == 0 || !bytes.Equal(s.Script, of.Lock) {
			of = t.owned(s.Script, keys)
		}
		f.Sources[i] = t.source(i, of)
		f.Sources[i].ID = f.Exclusive[i]
	}
	for i, out := range t.msg.TxOut {
		f.Movements[i] = t.movement(out, keys)
	}
	t.validity(&f)
	t.findings(&f)
	return f
}

// satoshi turns a value of the family, which is never negative, into an Amount.
func satoshi(value int64) chain.Amount { return chain.NewAmount(uint64(value)) }

// owned returns what is known of a source by its script alone.
func (t *Tx) owned(script []byte, keys Keyring) chain.Source {
	_, own := keys.Signs(script)
	source := chain.Source{
		Address: t.params.Address(script), Kind: t.params.KindOf(script).String(), Lock: script,
		Asset: t.params.Asset(), Commits: t.params.Commits(script), Own: own,
	}
	if k, ok := keys.Owner(script); own && ok {
		source.Key = &k
	}
	return source
}

// source completes what is known by the script to input i.
func (t *Tx) source(i int, source chain.Source) chain.Source {
	source.Amount, source.Proven = satoshi(t.spent[i].Value), t.spent[i].Proven
	source.WaitBlocks, source.WaitSeconds = t.wait(t.msg.TxIn[i].Sequence)
	return source
}

func (t *Tx) movement(out *wire.TxOut, keys Keyring) chain.Movement {
	kind := t.params.KindOf(out.PkScript)
	address := t.params.Address(out.PkScript)
	m := chain.Movement{
		To: Destination(address, out.PkScript), Address: address, Kind: kind.String(), Lock: out.PkScript,
		Asset: t.params.Asset(), Amount: satoshi(out.Value),
		Burnt: t.params.burns(out.PkScript), Hidden: kind == P2PK,
	}
	if kind == NullData {
		m.IsData, m.Data = true, data(out.PkScript)
	}
	if key, ok := keys.Owner(out.PkScript); ok {
		m.Own, m.Unspendable = &key, !t.params.Signable(kind)
	}
	return m
}

// data strips OP_RETURN and, where the rest is one push, the push.
func data(script []byte) []byte {
	if len(script) == 0 {
		return nil
	}
	rest := script[1:]
	switch {
	case len(rest) > 1 && int(rest[0]) == len(rest)-1 && rest[0] <= 75:
		return rest[1:]
	case len(rest) > 2 && rest[0] == 0x4c && int(rest[1]) == len(rest)-2:
		return rest[2:]
	case len(rest) > 3 && rest[0] == 0x4d && int(rest[1])|int(rest[2])<<8 == len(rest)-3:
		return rest[3:]
	}
	return rest
}

// lockTimeThreshold divides block heights from Unix times (Bitcoin Core, script/script.h).
const lockTimeThreshold = 500_000_000

// validity reads the lock time, which is in force where some sequence is not
// final (BIP 113 aside).
func (t *Tx) validity(f *chain.Facts) {
	final := true
	for _, in := range t.msg.TxIn {
		final = final && in.Sequence == wire.MaxTxInSequenceNum
	}
	switch n := int64(t.msg.LockTime); {
	case n == 0 || final:
	case n < lockTimeThreshold:
		f.Validity.NotBefore.Height = n
	default:
		f.Validity.NotBefore.Unix = n
	}
}

// wait reads a relative lock time (BIP 68).
func (t *Tx) wait(sequence uint32) (blocks, seconds int64) {
	const granularity = 512 // seconds
	n := int64(sequence & wire.SequenceLockTimeMask)
	switch {
	case uint32(t.msg.Version) < 2, sequence&wire.SequenceLockTimeDisabled != 0:
		return 0, 0
	case sequence&wire.SequenceLockTimeIsSeconds != 0:
		return 0, n * granularity
	}
	return n, 0
}

// findings says what is to be noticed about the transaction. What is done about
// each is for policy to decide.
func (t *Tx) findings(f *chain.Facts) {
	committed := f.Committed()
	for i, s := range f.Sources {
		switch at := (chain.At{Part: chain.OfSource, Index: i}); {
		case !s.Proven && committed:
			find(f, at, chain.FlagCommitted, "input %d (%s): its previous transaction is missing; "+
				"the signature is valid only if every amount is as shown (BIP 341)", i, s.ID)
		case !s.Proven:
			find(f, at, chain.UnprovenAmount, "input %d (%s): its previous transaction is missing, "+
				"so its amount is a claim, and so is the fee", i, s.ID)
		}
	}
	for i, out := range t.msg.TxOut {
		t.outputFindings(f, i, out)
	}
	if least := chain.NewAmount(uint64(f.Size * t.params.MinFeeRate)); f.Fee.Cmp(least) < 0 {
		rate := chain.Tenths(f.Fee, chain.NewAmount(uint64(f.Size)), 1)
		find(f, chain.At{Part: chain.OfFee}, chain.FlagLowFee,
			"fee of %d is %s per vB, below %d: nodes may not relay it", f.Fee, rate, t.params.MinFeeRate)
	}
	t.sizeFinding(f)
	t.timeFindings(f)
}

// Sizes that nodes relay (policy/policy.h of all four coins: 400,000 weight
// units are 100,000 vB). Below the least size of a transaction without its
// witness, nodes refuse it because of CVE-2017-12842.
const (
	maxRelayedSize = 100_000 // vB
	minRelayedSize = 65      // bytes without witness
)

func (t *Tx) sizeFinding(f *chain.Facts) {
	signed := t.sizeWithoutWitness()
	switch {
	case f.Size > maxRelayedSize:
		find(f, chain.At{}, chain.TxSize,
			"has about %d vB once signed; nodes relay at most %d, so it would not confirm", f.Size, maxRelayedSize)
	case signed < minRelayedSize:
		find(f, chain.At{}, chain.TxSize,
			"has %d bytes without witness; nodes relay none below %d, so it would not confirm", signed, minRelayedSize)
	}
}

func (t *Tx) outputFindings(f *chain.Facts, i int, out *wire.TxOut) {
	at, m := chain.At{Part: chain.OfMovement, Index: i}, f.Movements[i]
	if out.Value < t.params.dustLimit(out.PkScript) {
		find(f, at, chain.Dust, "output %d pays %d, less than nodes relay", i, m.Amount)
	}
	switch t.params.KindOf(out.PkScript) {
	case NullData:
		find(f, at, chain.FlagData, "output %d carries data (OP_RETURN)", i)
	case Nonstandard, WitnessUnknown:
		find(f, at, chain.FlagUnnamed, "output %d pays a script that has no standard form", i)
	}
	if m.Burnt && out.Value > 0 {
		find(f, at, chain.FlagBurn, "output %d (%s) burns %s: nobody can ever spend it, and it counts as fee",
			i, m.Kind, chain.Sum{Amount: m.Amount, Asset: m.Asset})
	}
}

func (t *Tx) timeFindings(f *chain.Facts) {
	if f.Validity.NotBefore != (chain.Moment{}) {
		find(f, chain.At{}, chain.FlagLockTime, "is not valid before %s", moment(t.msg.LockTime))
	}
	const early = "input %d (%s) is not valid before what it spends is %s old (BIP 68)"
	for i, s := range f.Sources {
		switch {
		case s.WaitBlocks > 0:
			find(f, chain.At{}, chain.FlagLockTime, early, i, s.ID, chain.Count(s.WaitBlocks, "block"))
		case s.WaitSeconds > 0:
			find(f, chain.At{}, chain.FlagLockTime, early, i, s.ID, chain.Count(s.WaitSeconds, "second"))
		}
	}
	for _, in := range t.msg.TxIn {
		if in.Sequence < wire.MaxTxInSequenceNum-1 {
			find(f, chain.At{}, chain.FlagReplaceable, "can be replaced in the mempool (BIP 125)")
			return
		}
	}
}

func find(f *chain.Facts, at chain.At, code chain.Code, message string, args ...any) {
	f.Findings = append(f.Findings, chain.Because(code, message, args...).Of(at))
}

// moment says in words when a lock time lets a transaction in.
func moment(lockTime uint32) string {
	if lockTime < lockTimeThreshold {
		return "block " + strconv.FormatUint(uint64(lockTime), 10)
	}
	return time.Unix(int64(lockTime), 0).UTC().Format("2006-01-02 15:04:05 UTC")
}
