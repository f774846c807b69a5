package tatum

// Purpose is what calls are made for, and so which part of a budget they may
// use. The earlier one goes first where a budget is short.
type Purpose uint8

// Purposes of calls.
const (
	Settle  Purpose = iota // sending and marking what is signed, and whatever a person asks for: all of a budget
	Retry                  // the same, of what did not succeed several times
	List                   // looking for what is to be signed
	Prove                  // fetching the previous transactions that prove it
	Watch                  // looking how deep in the chain it is
	Revisit                // looking whether what was given up is there all the same
	purposes
)

// reserved is the share of a budget, in percent, that calls for other purposes
// leave alone. What is not reserved is anybody's; Settle also uses what is
// reserved for the others.
func (p Purpose) reserved() int64 { return [purposes]int64{40, 10, 15, 15, 10, 0}[p] }

// pays reports whether calls for a purpose bring a payment on its way, or are what a
// person asks for: the rate limit that another call met holds them up not.
func (p Purpose) pays() bool { return p == Settle || p == Retry }

// String returns the name of a purpose in files.
func (p Purpose) String() string {
	return [purposes]string{"settle", "retry", "list", "prove", "watch", "revisit"}[p]
}

// For returns the client as it calls for a purpose. It shares everything else.
func (c *Client) For(p Purpose) *Client {
	mine := *c
	mine.purpose = p
	return &mine
}

// has reports whether a budget has room for calls for a purpose, with what is
// reserved for others and not used by them left alone.
func (w *window) has(cost int64, p Purpose) bool {
	room := w.budget.Credits
	for other := range purposes {
		if p != Settle && other != p {
			room -= max(0, w.budget.Credits*other.reserved()/100-w.sumFor(other))
		}
	}
	return w.sum()+cost <= room
}
