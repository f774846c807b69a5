package online

import (
	"context"
	"fmt"

	"coldkms/online/journal"
)

// standing is what the journal has beside claimed items. It is read once for all of
// them. What changes meanwhile in a way that an item must not be sent withholds it,
// and journal.Hand looks at that again.
type standing struct {
	payers   map[string]string // by txid, the item that it pays
	said     map[string]journal.Approval
	vetoes   map[string][]string // by item, the services that said no
	unsaid   bool                // nobody has said since a restore which service is asked
	restored []journal.Restoration
}

func (r *Relay) standingOf(ctx context.Context, items []journal.Item) (st standing, err error) {
	ids, txids := idsOf(items), make([]string, len(items))
	for i, it := range items {
		txids[i] = it.TxID
	}
	if st.payers, err = r.journal.PayersOf(ctx, txids); err != nil {
		return st, err
	}
	if st.said, err = r.journal.Approvals(ctx, journal.Filter{IDs: ids}); err != nil {
		return st, err
	}
	if st.vetoes, err = r.journal.VetoesOf(ctx, ids); err != nil {
		return st, err
	}
	if st.unsaid, err = r.journal.ServiceUnsaid(ctx); err != nil {
		return st, err
	}
	st.restored, err = r.journal.Restorations(ctx)
	return st, err
}

// payer returns the item that the step's transaction pays.
func (s *step) payer() (string, error) {
	st, err := s.standing()
	if err != nil {
		return "", err
	}
	id, ok := st.payers[s.item.TxID]
	if !ok {
		return "", fmt.Errorf("the journal does not say which item %s pays", s.item.TxID)
	}
	return id, nil
}
