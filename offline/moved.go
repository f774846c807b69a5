package offline

import (
	"coldkms/offline/ledger"
	"coldkms/shared/chain"
)

// moved says for the ledger what went from where to where. shown: the person who signed
// was shown which indices are far.
func moved(f chain.Facts, shown bool) (from []ledger.Supply, paid []ledger.Payment, own []ledger.Own) {
	type purse struct {
		key   chain.Key
		token string
	}
	at := make(map[purse]int)
	for _, in := range f.Sources {
		if in.Key == nil {
			continue
		}
		of := purse{*in.Key, in.Asset.Token}
		i, have := at[of]
		if !have {
			i = len(from)
			at[of] = i
			from = append(from, ledger.Supply{Key: in.Key.SignatureID, Index: indexOfKey(*in.Key), Token: in.Asset.Token})
		}
		from[i].Value = from[i].Value.Plus(in.Amount)
	}
	for _, out := range f.Movements {
		if !out.IsChange() {
			paid = append(paid, paymentOf(&out))
		}
		if out.Own != nil {
			own = append(own, ledger.Own{Key: out.Own.SignatureID, Index: indexOfKey(*out.Own), Also: idsOf(out.Also), To: out.To, Token: out.Asset.Token, Value: out.Amount, Change: out.Change, Far: out.Far && shown})
		}
	}
	return from, paid, own
}

// paymentOf is what a movement pays, as the ledger has it.
func paymentOf(out *chain.Movement) ledger.Payment {
	return ledger.Payment{To: out.To, Token: out.Asset.Token, Value: out.Paid()}
}

// idsOf lists the entries of keys.
func idsOf(keys []chain.Key) (ids []string) {
	for _, k := range keys {
		ids = append(ids, k.SignatureID)
	}
	return ids
}

// indexOfKey is nil for a single key.
func indexOfKey(k chain.Key) *int64 {
	if k.Index == chain.NoIndex {
		return nil
	}
	return &k.Index
}
