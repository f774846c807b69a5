package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/cmd/internal/qrcli"
	"coldkms/shared/bundle"
	"coldkms/shared/capture/camera"
	"coldkms/shared/durable"
	"coldkms/shared/psbt"
)

const qrHelp = "read it from QR symbols: of a camera (/dev/video0 if none is named), a folder of pictures, a picture, a GIF, or - for MJPEG or Y4M on stdin"

// scanTo reads a file from symbols and keeps it in the state directory. The
// same file twice is written once.
func (a *app) scanTo(args []string) (string, error) {
	if len(args) > 1 {
		return "", cli.Fail(cli.Usage, errors.New("--qr reads from one source"), "")
	}
	source := camera.Default
	if len(args) > 0 {
		source = args[0]
	}
	ctx, stop := interruptible()
	defer stop()
	payload, err := qrcli.Scan(ctx, source, "", os.Stdin, a.Err, psbt.Check)
	if err != nil {
		return "", err
	}
	dir, err := a.inState("scanned")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, qrcli.Name(payload))
	return path, durable.Create(a.fs, path, payload.Bytes, durable.PermFile, nil)
}

// inState makes a folder in the state directory.
func (a *app) inState(name string) (string, error) {
	dir, err := a.dir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	return path, durable.MakeDir(a.fs, path)
}

func (a *app) show() *cobra.Command {
	var o qrcli.Options
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "show a file as QR symbols",
		Long: `show plays a file as QR symbols on the terminal until a key says that the other
side has it: a request, this relay's identity, a PSBT. Keys change speed and
density while it plays. With --qr-out it is written as a page, an animated GIF or
pictures instead.`,
		Example: `  kms-online show relay.kmsid
  kms-online show coldkms-request.kmsreq --qr-out request.html`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.showFile(args[0], o) },
	}
	o.Flags(cmd.Flags())
	return cmd
}

// readFile reads a file that is to cross the gap, or has crossed it. A wallet
// is none of those.
func (a *app) readFile(path string) ([]byte, error) {
	file, err := durable.ReadFile(a.fs, path, bundle.MaxFile)
	if err == nil && bundle.IsWallet(file) {
		return nil, explain(bundle.ErrWallet)
	}
	return file, err
}

// showFile plays a file, or writes it as pictures.
func (a *app) showFile(path string, o qrcli.Options) error {
	file, err := a.readFile(path)
	if err == nil {
		err = qrcli.Showable(file)
	}
	if err != nil {
		return err
	}
	title := filepath.Base(path)
	if o.To != "" {
		to, n, err := o.Film(a.fs, title, file)
		if err == nil {
			a.say("symbols in %s: %d", to, n)
		}
		return err
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return cli.Fail(cli.Usage, fmt.Errorf("there is no terminal to show symbols on"), "show it as a file: --qr-out FILE.html")
	}
	defer tty.Close()
	return o.Play(context.Background(), tty, title, file)
}
