package online

import (
	"context"
	"errors"

	"coldkms/online/foureye"
	"coldkms/online/prepare"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/statement"
)

// errNoFacts is about what does nothing that anyone could vouch for, such as
// paying more than it spends. It is carried all the same: the signer refuses
// it, and has it on record.
var errNoFacts = errors.New("it cannot be said what the transaction does")

// vouch asks the approval service about what is to be exported. What it does
// not say yes to is left out, stays as it is, and is a problem.
func (r *Relay) vouch(ctx context.Context, ready []prepare.Prepared, report *Exported) ([]prepare.Prepared, map[string][]statement.Statement, error) {
	if r.FourEye == nil {
		return ready, nil, nil
	}
	answers := make([][]statement.Statement, len(ready))
	failures := make([]error, len(ready))
	err := r.each(ctx, len(ready), workers, func(ctx context.Context, i int) error {
		answers[i], failures[i] = r.ask(ctx, ready[i])
		return ctx.Err()
	})
	if err != nil {
		return nil, nil, err
	}
	var kept []prepare.Prepared
	statements := make(map[string][]statement.Statement)
	for i, p := range ready {
		if failures[i] != nil && !errors.Is(failures[i], errNoFacts) {
			code := codeOfAnswer(failures[i])
			report.Problems = append(report.Problems, Problem{ID: p.ID(), Code: code, Reason: failures[i].Error()})
			if code == CodeVetoed {
				if err := r.journal.Withhold(ctx, p.ID(), code); err != nil {
					return nil, nil, err
				}
			}
			continue
		}
		if failures[i] == nil {
			if err := r.journal.Unwithhold(ctx, p.ID(), CodeVetoed); err != nil {
				return nil, nil, err
			}
		}
		kept, statements[p.ID()] = append(kept, p), answers[i]
	}
	return kept, statements, nil
}

// carry puts statements into the items that they are about.
func carry(items []bundle.Item, statements map[string][]statement.Statement) {
	for i := range items {
		items[i].Statements = statements[items[i].ID]
	}
}

func codeOfAnswer(err error) chain.Code {
	if errors.Is(err, foureye.ErrRefused) {
		return CodeVetoed
	}
	return CodeNoAnswer
}

// ask asks about one transaction.
func (r *Relay) ask(ctx context.Context, p prepare.Prepared) ([]statement.Statement, error) {
	facts, err := factsOf(p)
	if err != nil {
		return nil, errors.Join(errNoFacts, err)
	}
	return r.FourEye.Vouch(ctx, p.ID(), facts)
}

// factsOf says what a transaction does, from the very bytes that travel.
func factsOf(p prepare.Prepared) (chain.Facts, error) {
	items, previous := prepare.Bundle([]prepare.Prepared{p})
	table, err := utxo.NewTable(previous)
	if err != nil {
		return chain.Facts{}, err
	}
	it := items[0]
	tx, err := utxo.Decode(it.Chain, it.Network, it.Tx, it.Context, table)
	if err != nil {
		return chain.Facts{}, err
	}
	return tx.Explain(utxo.NoKeys{}), nil
}

// mayLeave asks the approval service once more before a signed transaction is
// sent for the first time. Without a yes it stays signed.
func (s *step) mayLeave(ctx context.Context) (bool, error) {
	if s.FourEye == nil {
		return true, nil
	}
	p, err := s.proven(ctx)
	if err == nil {
		_, err = s.ask(ctx, p)
	}
	switch {
	case err == nil:
		return true, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	}
	return false, s.stays(ctx, codeOfAnswer(err), err)
}

// proven reads the item from the journal once more.
func (s *step) proven(ctx context.Context) (prepare.Prepared, error) {
	d := parse(s.item)
	if d.err != nil {
		return prepare.Prepared{}, d.err
	}
	proofs, _, err := s.previous(ctx, []draft{d}, false)
	if err != nil {
		return prepare.Prepared{}, err
	}
	return d.draft.Prove(proofs)
}
