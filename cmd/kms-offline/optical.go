package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/cmd/internal/qrcli"
	"coldkms/shared/bundle"
	"coldkms/shared/capture/camera"
	"coldkms/shared/durable"
	"coldkms/shared/psbt"
)

const sourceHelp = `SOURCE is a camera (/dev/video0 where none is named), a folder of pictures, a
picture, an animated GIF, or - for MJPEG or Y4M on stdin:
ffmpeg … -f mjpeg - | kms-offline scan -`

func (a *app) scan() *cobra.Command {
	var out, only string
	cmd := &cobra.Command{
		Use:   "scan [SOURCE] --out DIR",
		Short: "read a file from QR symbols",
		Long: `scan reads symbols until a file is complete, whatever it is: a request, a relay's
identity, a PSBT, an operator's approval. It stops by itself, and writes the file.
A folder is read to its end: where it holds more than one file, none is written, and
--only says which.

` + sourceHelp + `

Exit status: 0 a file was read, 22 the pictures ended before.`,
		Example: `  kms-offline scan --out .
  kms-offline scan frames/ --out .
  ffmpeg -f v4l2 -i /dev/video0 -f mjpeg - | kms-offline scan - --out .`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path, err := a.scanTo(args, only, out)
			if err != nil {
				return err
			}
			return a.JSON(struct {
				File string `json:"file"`
				Kind string `json:"kind"`
			}{path, strings.TrimPrefix(filepath.Ext(path), ".")})
		},
	}
	cmd.Flags().StringVar(&out, "out", ".", "folder to write to")
	cmd.Flags().StringVar(&only, "only", "", "of a folder that holds several files, the one of this name")
	return cmd
}

// scanTo reads a file from the source that args name and writes it. The same
// file twice is written once.
func (a *app) scanTo(args []string, only, dir string) (string, error) {
	source := camera.Default
	if len(args) > 0 {
		source = args[0]
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	payload, err := qrcli.Scan(ctx, source, only, os.Stdin, a.Err, psbt.Check)
	var several *qrcli.SeveralError
	if errors.As(err, &several) {
		return "", cli.Fail(cli.BadBundle, several, whichOf(several, source))
	}
	if err != nil {
		return "", err
	}
	if err := a.folder(dir); err != nil {
		return "", cli.Fail(cli.Failed, err, "")
	}
	path := filepath.Join(dir, qrcli.Name(payload))
	if err := durable.Create(a.fs, path, payload.Bytes, durable.PermFile, nil); err != nil {
		return "", cli.Fail(cli.Failed, err, "")
	}
	return path, nil
}

// whichOf returns what to type for each of several files.
func whichOf(e *qrcli.SeveralError, source string) string {
	hint := "nothing was taken; "
	for _, name := range e.Names {
		hint += fmt.Sprintf("for %s type kms-offline scan %s --only %s --out .; ", name, inLine(source), name)
	}
	return hint + "or put the pictures of each file into a folder of its own"
}

// besideWallet is a folder in that of the wallet.
func (a *app) besideWallet(name string) (string, error) {
	path, err := a.walletPath()
	if err != nil {
		return "", err
	}
	return filepath.Join(filepath.Dir(path), name), nil
}

// ownFolder reports whether a folder is one that this program has beside the wallet,
// and nobody named.
func (a *app) ownFolder(dir string) bool {
	for _, name := range [...]string{"scanned", "signed"} {
		if own, err := a.besideWallet(name); err == nil && own == dir {
			return true
		}
	}
	return false
}

// inputs are the files that IN... stand for; with --qr IN is a source of
// symbols, and what it shows is kept beside the wallet.
func (a *app) inputs(args []string, byQR bool) ([]string, error) {
	if !byQR {
		if len(args) == 0 {
			return nil, cli.Fail(cli.Usage, errors.New("IN is missing"),
				"name a request, such as: kms-offline review /media/usb/request.kmsreq; or read one with --qr")
		}
		return a.requestPaths(args)
	}
	if len(args) > 1 {
		return nil, cli.Fail(cli.Usage, errors.New("--qr reads from one source"), "")
	}
	dir, err := a.besideWallet("scanned")
	if err != nil {
		return nil, err
	}
	path, err := a.scanTo(args, "", dir)
	return []string{path}, err
}

const qrHelp = "IN is a source of QR symbols: a camera (the default), a folder, a picture, a GIF, or - for a stream"

func (a *app) show() *cobra.Command {
	var o qrcli.Options
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "show a file as QR symbols",
		Long: `show plays a file as QR symbols on the terminal until a key says that the other
side has it: a result, the watch file, a PSBT, an approval. Keys change speed and
density while it plays. With --qr-out it is written as a page, an animated GIF or
pictures instead.

A PSBT is shown as other wallets read it (UR, or --lane bbqr); everything else as
kms-online reads it fastest.`,
		Example: `  kms-offline show signed/coldkms-1a2b3c4d-3of3-line7.kmsres
  kms-offline show signer.kmswatch --qr-out watch.html
  kms-offline show payment.psbt --lane bbqr --density 15`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.showFile(args[0], o) },
	}
	o.Flags(cmd.Flags())
	return cmd
}

// showFile plays a file, or writes it as pictures.
func (a *app) showFile(path string, o qrcli.Options) error {
	file, err := a.read(path, bundle.MaxFile)
	if err != nil {
		return err
	}
	if bundle.IsWallet(file) {
		return bundleError(bundle.ErrWallet)
	}
	if err := qrcli.Showable(file); err != nil {
		return err
	}
	title := filepath.Base(path)
	if o.To != "" {
		to, n, err := o.Film(a.fs, title, file)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.Err, "%s in %s\n", counted(n, "symbol", "symbols"), cli.Printable(to))
		return nil
	}
	tty, err := openTerminal()
	if err != nil {
		return cli.Fail(cli.Usage, err, "show it as a file: --qr-out FILE.html")
	}
	defer tty.close()
	if err := tty.discard(); err != nil {
		return err
	}
	return o.Play(context.Background(), tty.tty, title, file)
}

// addressOf strips what a symbol says around an address (BIP 21).
func addressOf(text string) string {
	if scheme, rest, ok := strings.Cut(text, ":"); ok && !strings.EqualFold(scheme, "bitcoincash") && !strings.EqualFold(scheme, "bchtest") {
		text = rest
	}
	text, _, _ = strings.Cut(text, "?")
	if upper := strings.ToUpper(text); text == upper && !strings.HasPrefix(text, "1") && !strings.HasPrefix(text, "3") {
		return strings.ToLower(text) // bech32 in capitals, which a symbol holds in less
	}
	return text
}
