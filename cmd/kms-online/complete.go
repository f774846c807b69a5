package main

import (
	"context"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
	"coldkms/online/journal"
)

// mostCompleted bounds the ids that a shell is offered.
const mostCompleted = 500

// complete sets how a shell completes the command lines of this program. Ids come
// from a journal on this machine; a database elsewhere is not asked for them.
func (a *app) complete(root *cobra.Command) {
	ids, anyFile := a.completeWith(pendingIDs), cli.Files()
	states := make([]cobra.Completion, 0, len(journal.States()))
	for _, s := range journal.States() {
		states = append(states, string(s))
	}
	slices.Sort(states)
	cli.Complete(root, map[string]cobra.CompletionFunc{
		"status":      ids,
		"report":      ids,
		"export":      ids,
		"broadcast":   ids,
		"watch":       ids,
		"reject":      ids,
		"retry":       ids,
		"unveto":      ids,
		"release":     ids,
		"acknowledge": a.completeWith(openAlarms),
		"pair":        cli.Files("kmswatch"),
		"import":      cli.Files("kmsres", "psbt"),
		"show":        anyFile,
		"backup":      anyFile,
		"restore":     anyFile,
	}, map[string]cobra.CompletionFunc{
		"chain": cobra.FixedCompletions([]cobra.Completion{"BCH", "BTC", "DOGE", "LTC"},
			cobra.ShellCompDirectiveNoFileComp),
		"item-state": cobra.FixedCompletions(states, cobra.ShellCompDirectiveNoFileComp),
		"sum":        cobra.FixedCompletions([]cobra.Completion{"day", "payee"}, cobra.ShellCompDirectiveNoFileComp),
		"drop":       cli.Folders,
		"stick":      cli.Folders,
	})
}

// readWords returns words of the journal.
type readWords func(context.Context, *online.Relay) ([]cobra.Completion, error)

// completeWith completes arguments with words of the journal.
func (a *app) completeWith(words readWords) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) (list []cobra.Completion, _ cobra.ShellCompDirective) {
		if a.database() == "" {
			_ = a.relay(looking, func(ctx context.Context, r *online.Relay) (err error) { // no relay, no words
				list, err = words(ctx, r)
				return err
			})
		}
		return list, cobra.ShellCompDirectiveNoFileComp
	}
}

func pendingIDs(ctx context.Context, r *online.Relay) (list []cobra.Completion, err error) {
	items, _, err := r.StatusPage(ctx, online.StatusOptions{Limit: mostCompleted})
	for _, s := range items {
		list = append(list, cobra.CompletionWithDesc(s.ID, string(s.Chain)+" "+string(s.State)))
	}
	return list, err
}

func openAlarms(ctx context.Context, r *online.Relay) (list []cobra.Completion, err error) {
	alarms, err := r.Alarms(ctx, false)
	for _, alarm := range alarms[:min(len(alarms), mostCompleted)] {
		list = append(list, strconv.FormatInt(alarm.ID, 10))
	}
	return list, err
}
