package main

import (
	"fmt"
	"slices"
	"strings"

	"coldkms/cmd/internal/cli"
	"coldkms/shared/chain"
)

// chainArg reads a CHAIN argument and says "not yet" for those that are known
// and not built.
func chainArg(s string) (chain.ID, error) {
	id, err := parseChain(s)
	if err != nil {
		return "", err
	}
	if !isBuilt(id) {
		return "", cli.Fail(cli.Usage, notYet(id), "chains that this version signs for: "+builtNames())
	}
	return id, nil
}

// chainList reads --chain, a list such as "BTC,LTC". Chains that are known and
// not built are taken: a wallet keeps their entries.
func chainList(names []string) ([]chain.ID, error) {
	var list []chain.ID
	for _, name := range names {
		id, err := parseChain(name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list, nil
}

func parseChain(s string) (chain.ID, error) {
	id, err := chain.ParseID(s)
	if err != nil {
		return "", cli.Fail(cli.Usage, err, "chains that this version signs for: "+builtNames())
	}
	return id, nil
}

func notYet(id chain.ID) error { return fmt.Errorf("%s is known but not signed for yet", id) }

func isBuilt(id chain.ID) bool { return slices.Contains(built(), id) }

func builtNames() string {
	names := make([]string, len(built()))
	for i, id := range built() {
		names[i] = string(id)
	}
	return strings.Join(names, ", ")
}
