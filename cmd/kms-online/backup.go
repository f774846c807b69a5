package main

import (
	"context"
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
)

func (a *app) backup() *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "write the journal into a new file, and verify it",
		Long: `backup writes everything that the journal has, as it is at one moment, into a new
file, signs it with the relay's identity, reads it back and verifies it. It works
beside a daemon, and for a journal in PostgreSQL, too. The file identity.key is
not in it: keep a copy of that file elsewhere.

The signed transactions in it can be broadcast by whoever reads it.`,
		Example: `  kms-online backup /var/backups/kms-$(date +%F).kmsbackup`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.relay(looking, func(ctx context.Context, r *online.Relay) error {
				got, err := r.Backup(ctx, args[0])
				if errors.Is(err, fs.ErrExist) {
					return cli.Fail(cli.Failed, err,
						"a backup is never written over: give another name, such as kms-$(date +%F-%H%M).kmsbackup")
				}
				if err != nil {
					return err
				}
				a.say("%d items are in %s, read back and verified", got.Rows["items"], got.File)
				return a.JSON(got)
			})
		},
	}
}

func (a *app) restore() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "make the journal from a backup, where there is none",
		Long: `restore verifies a backup and makes the journal from it, in one transaction. The
state directory must have the relay's identity.key and no journal, or one that
never had an item, which is renamed; a database must be empty. A backup of a journal in SQLite can be restored to PostgreSQL, and
the other way round.

What happened after the backup is not in it: afterwards fetch, then import every
result that the signer wrote since then, then broadcast. Nothing is sent before you
have named the approval service again (--external-url URL), or said that there is
none (--external-url none): what it refused after the backup is not in it. Nothing that
was there before the restore is sent before you have released it: "release" lists it, and
names the one command that has all of it sent. What was
signed is recognised by its signatures, and what was sent by its txid. reject refuses
what may have been sent between, until something shows that it was not. The alarm "restored"
is open, and status says so, until you acknowledge that all of it is in. With --check the
backup is only verified. A file that expands to more than a backup can is
refused; SIGTERM and Ctrl-C end the command at any moment.`,
		Example: `  kms-online restore --check /var/backups/kms-2026-11-27.kmsbackup
  kms-online restore /var/backups/kms-2026-11-27.kmsbackup`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir, err := a.dir()
			if err != nil {
				return err
			}
			ctx, stop := interruptible()
			defer stop()
			o := online.Options{Families: a.families, Dir: dir, Database: a.database(), FS: a.fs, Now: a.now}
			do := func() (online.BackedUp, error) { return online.Restore(ctx, o, args[0]) }
			if check {
				do = func() (online.BackedUp, error) { return online.CheckBackup(ctx, o, args[0]) }
			}
			got, err := do()
			if err != nil {
				return explain(err)
			}
			if !check {
				a.say("next: kms-online fetch; then import every result that the signer wrote since %s; then broadcast --external-url URL, or --external-url none: nothing is sent before you have said which approval service is asked, for it may have said no meanwhile; then kms-online release: nothing of before is sent before you have said that it was not given up meanwhile", got.Made)
			}
			return a.JSON(got)
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "verify the backup, and change nothing")
	return cmd
}
