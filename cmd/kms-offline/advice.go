package main

import (
	"errors"
	"syscall"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/shared/transport/file"
)

// advised has a command, and those below it, say what to do where a disk or a
// stick could not be written.
func advised(cmd *cobra.Command) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error { return withRoom(run(cmd, args)) }
	}
	for _, sub := range cmd.Commands() {
		advised(sub)
	}
}

// withRoom returns an error about a full or write-protected medium with what to
// do. An error that has a hint keeps it.
func withRoom(err error) error {
	known := &cli.Error{Code: cli.Failed}
	if errors.As(err, &known) && known.Hint != "" {
		return err
	}
	const again = ", and run the same command again"
	for _, trouble := range [...]struct {
		is   error
		hint string
	}{
		{file.ErrFull, "make room on the stick, or take another one" + again},
		{syscall.EROFS, "what is written to is write-protected: open the write lock of the stick, or take another one" + again + "; a wallet is used from a disk of this machine: copy it with its ledger and mark, or kms-offline restore FILE"},
		{file.ErrReadOnly, "open the write lock of the stick, or take another one" + again},
		{syscall.ENOSPC, "the disk is full, and nothing that could not be recorded was signed: make room where the wallet is" + again},
		{syscall.EDQUOT, "this user may take no more room on the disk: make room where the wallet is" + again},
	} {
		if errors.Is(err, trouble.is) {
			return cli.Fail(known.Code, err, trouble.hint)
		}
	}
	return err
}
