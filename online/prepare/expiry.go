package prepare

import "coldkms/shared/chain"

// Expired is the code of a transaction that no network takes any more.
const Expired chain.Code = "expired"

// An Expirer is a Family whose transactions expire. What expired in a Request
// becomes another transaction when it is prepared anew, and a signature of the
// first one may exist. So a family may be one only if both use up the same
// exclusive ids: then at most one of them is ever paid.
type Expirer interface {
	// Expired reports whether no network takes the transaction any more.
	Expired(Draft) bool
}
