package main

import (
	"crypto/rand"

	"github.com/spf13/cobra"

	"coldkms/online"
	"coldkms/shared/identity"
)

// compare has both machines' people look at the same words.
func (a *app) compare(whose string, key identity.Public) {
	a.say("%s fingerprint %s", whose, key.Fingerprint())
	a.say("in words: %s", key.Words())
	a.say("compare with what the other machine shows")
}

// initReply is what init prints.
type initReply struct {
	Identity    string `json:"identity"` // the file to take to the signer
	Fingerprint string `json:"fingerprint"`
}

func (a *app) initialise() *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "make the state directory and this relay's identity",
		Long: `init makes the state directory (mode 0700) with a new identity, and prints where
its public half is: the file to take to the signer (kms-offline pair). Run
again, it prints the same. Where the identity is there and the journal is not, it
makes none and ends with exit 1: what was signed is on record there only.

With --state postgres://user@host/database the journal is in that database, for
several relays, and --dir names the directory with the identity. All relays of
one database have one identity: copy the file identity.key of the first one
into the directory of each other one before its init. docs/POSTGRES.md has the
steps.`,
		Args: cobra.NoArgs,
		Example: `  kms-online init
  kms-online init --state /var/lib/kms-online`,
		RunE: func(*cobra.Command, []string) error {
			dir, err := a.dir()
			if err != nil {
				return err
			}
			ctx, stop := interruptible()
			defer stop()
			id, err := online.InitShared(ctx, a.fs, dir, a.database(), rand.Reader, a.now)
			if err != nil {
				return explain(err)
			}
			if id.New {
				a.say("a new relay, with an empty journal, was made in %s", dir)
			}
			a.compare("this relay's", id.Public)
			return a.JSON(initReply{id.Path, id.Public.Fingerprint()})
		},
	}
}
