package main

import (
	"github.com/spf13/cobra"
)

func (a *app) ledger() *cobra.Command {
	return &cobra.Command{
		Use:   "ledger [verify]",
		Short: "check the ledger and print its head",
		Long: `ledger checks every line of the ledger against its hash chain and against the
last line that was acknowledged, and prints its length and head. Write the head
down after a session: it fixes everything before it.`,
		Example:   "  kms-offline --path wallet.kms ledger verify",
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"verify"},
		RunE: func(*cobra.Command, []string) error {
			s, err := a.openSession()
			if err != nil {
				return err
			}
			defer s.Close()
			return a.JSON(struct {
				Lines uint64 `json:"lines"`
				Head  string `json:"head"`
			}{s.Ledger.Len(), s.Ledger.Head()})
		},
	}
}
