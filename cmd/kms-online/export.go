package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/cmd/internal/qrcli"
	"coldkms/online"
	interoppsbt "coldkms/shared/interop/psbt"
	"coldkms/shared/psbt"
)

func (a *app) export() *cobra.Command {
	var o online.ExportOptions
	var masters []string
	var byQR, asPSBT bool
	var shown qrcli.Options
	cmd := &cobra.Command{
		Use:   "export --out DIR [ID…] | export --qr [ID…]",
		Short: "write one request for all that is prepared",
		Long: `export puts everything that is prepared, or the items named, into one request
for the signer and writes it into a folder such as a USB stick. Where nothing
is prepared, every request that still waits for its result is written again, the
same file: after a lost stick just run it again. What does not fit into one
request goes into several. The folder must exist: where it does not, the stick may
not be mounted, and nothing is exported.

With --qr nothing is carried: the request is shown as QR symbols, on the terminal
or where --qr-out says, and is kept in the state directory. Where nothing is prepared,
it is the newest request that waits; --again puts all that wait into one.

With --psbt it writes one standard PSBT (BIP 174) a transaction instead, which
any PSBT signer can sign; import takes what it gives back. Not for BCH. A signer
that wants to see its own master key's fingerprint (hardware wallets do) is
given it with --master.`,
		Example: `  kms-online export --out /media/usb
  kms-online export --qr`,
		RunE: func(_ *cobra.Command, args []string) error {
			if byQR && o.Dir == "" {
				dir, err := a.inState("shown")
				if err != nil {
					return err
				}
				o.Dir, o.Newest = dir, true
			}
			if err := exportable(o, byQR, shown); err != nil {
				return err
			}
			o.IDs, o.Network = trimmed(args), a.only()
			fingerprints, err := mastersOf(masters, asPSBT)
			if err != nil {
				return err
			}
			if asPSBT {
				o.Format = &interoppsbt.Format{Masters: fingerprints}
			}
			return a.relay(onDisk, func(ctx context.Context, r *online.Relay) error {
				if err := known(ctx, r, o.IDs); err != nil {
					return err
				}
				got, err := r.Export(ctx, o)
				if err != nil {
					return err
				}
				for _, note := range got.Notes {
					a.say("%s", note)
				}
				a.tidy(ctx, r, o.Dir)
				if err := a.sayUnprepared(ctx, r, o); err != nil {
					return err
				}
				a.sayExported(got, o.Dir, byQR)
				clean(got.Problems)
				if err := a.JSON(got); err != nil {
					return err
				}
				if byQR {
					if err := a.showExported(got, shown); err != nil {
						return err
					}
				}
				return part(len(got.Problems) > 0)
			})
		},
	}
	cmd.Flags().StringVar(&o.Dir, "out", "", "folder to write to")
	cmd.Flags().BoolVar(&byQR, "qr", false, "show it as QR symbols")
	shown.Flags(cmd.Flags())
	cmd.Flags().IntVar(&o.Max, "max", 0, "at most so many items, oldest first")
	cmd.Flags().BoolVar(&o.Again, "again", false, "also everything that was exported and has no result yet, in one new request")
	cmd.Flags().BoolVar(&asPSBT, "psbt", false, "one standard PSBT a transaction, for another signer than kms-offline")
	cmd.Flags().StringArrayVar(&masters, "master", nil, "ID=FINGERPRINT: eight hex digits of the master key behind a mnemonic, for the PSBTs")
	return cmd
}

// exportable refuses flags of export that do not go together.
func exportable(o online.ExportOptions, byQR bool, shown qrcli.Options) error {
	switch {
	case o.Max < 0:
		return cli.Fail(cli.Usage, fmt.Errorf("--max %d is no number of items", o.Max), "leave it out: as many as fit")
	case shown.To != "" && !byQR:
		return cli.Fail(cli.Usage, errors.New("--qr-out is for --qr"),
			"such as: kms-online export --qr --qr-out "+cli.Quoted(shown.To))
	case o.Dir == "":
		return cli.Fail(cli.Usage, errors.New("export needs a folder"),
			"such as: kms-online export --out /media/usb; or show it with --qr")
	}
	return nil
}

// sayUnprepared tells people if items wait for fetch to prepare them.
func (a *app) sayUnprepared(ctx context.Context, r *online.Relay, o online.ExportOptions) error {
	n, err := r.Unprepared(ctx, o)
	if n > 0 {
		a.say("fetched and not prepared yet: %d; kms-online fetch prepares them", n)
	}
	return err
}

// sayExported tells people what to type next for what was exported to a folder.
func (a *app) sayExported(got online.Exported, dir string, byQR bool) {
	const next = "next, on the signer, with --path if its wallet has one: kms-offline sign "
	if got.Request != nil && byQR {
		a.say(next + "--qr")
	} else {
		for _, path := range got.Requests {
			a.say(next+"%s --out DIR", path)
		}
	}
	if len(got.Foreign) > 0 {
		a.say("next: have the PSBTs signed, then: kms-online import %s", dir)
	}
}

// tidy moves requests that are not to be signed any more aside in a folder. An
// error is only printed: the command has done its work before.
func (a *app) tidy(ctx context.Context, r *online.Relay, dir string) {
	notes, err := r.Tidy(ctx, dir, &interoppsbt.Format{})
	for _, note := range notes {
		a.say("%s", note)
	}
	if err != nil {
		a.say("%s was not looked through for requests that are done or void: %v", dir, err)
	}
}

// showExported shows what was written, one file after the other.
func (a *app) showExported(got online.Exported, o qrcli.Options) error {
	var paths []string
	for _, p := range got.Foreign {
		paths = append(paths, p.Path)
	}
	paths = append(paths, got.Requests...)
	if o.To != "" && len(paths) > 1 {
		return cli.Fail(cli.Usage, fmt.Errorf("%d files do not go into one --qr-out", len(paths)), "show each one: kms-online show FILE --qr-out …")
	}
	for _, path := range paths {
		if err := a.showFile(path, o); err != nil {
			return err
		}
	}
	return nil
}

// mastersOf reads --master.
func mastersOf(args []string, wanted bool) (map[string]psbt.Fingerprint, error) {
	if len(args) > 0 && !wanted {
		return nil, cli.Fail(cli.Usage, errors.New("--master is for --psbt"), "")
	}
	masters := make(map[string]psbt.Fingerprint)
	for _, arg := range args {
		id, text, _ := strings.Cut(arg, "=")
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != len(psbt.Fingerprint{}) {
			return nil, cli.Fail(cli.Usage, fmt.Errorf("--master %.80q is not ID=FINGERPRINT", arg), "such as: --master 8c3ba0f0-4b41-4ec9-b66c-1f2d3c4b5a69=73c5da0a")
		}
		masters[id] = psbt.Fingerprint(b)
	}
	return masters, nil
}

// known refuses ids that are not in the journal.
func known(ctx context.Context, r *online.Relay, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := r.Status(ctx, 0, ids...)
	return err
}
