//go:build unix

// Demo runs the whole loop on one machine, with the real programs and a real
// node, and prints each command as a person would type it with what it
// answered. It asks nothing: what a person would type at a prompt, it types.
//
// Everything it makes is in ./demo, with keys that are worth nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

func main() {
	bin := flag.String("bin", "bin", "folder of the programs")
	dir := flag.String("dir", "demo", "folder to work in; one of an earlier demo is removed")
	name := flag.String("coin", "BTC", "BTC, LTC, DOGE or BCH")
	transport := flag.String("transport", "file", "how files cross the gap: file (a stick) or qr (pictures of screens)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	if err := run(ctx, *bin, *dir, *name, *transport); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

const marker = ".coldkms-demo"

func run(ctx context.Context, bin, dir, name, transport string) error {
	if transport != "file" && transport != "qr" {
		return fmt.Errorf("transport is file or qr, not %q", transport)
	}
	coin, err := coinOf(name)
	if err != nil {
		return err
	}
	bin, err = filepath.Abs(bin)
	if err != nil {
		return err
	}
	if dir, err = fresh(dir); err != nil {
		return err
	}
	d := &demo{ctx: ctx, coin: coin, byQR: transport == "qr", bin: bin, dir: dir, started: time.Now()}
	stop, err := d.startSandbox()
	if err != nil {
		return err
	}
	defer stop()
	for _, step := range []func() error{
		d.wallet, d.privateKey, d.address, d.store, d.pair, d.fund, d.pay, d.across, d.details, d.withdraw,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	d.end()
	return nil
}

// fresh makes the folder, in the place of one that an earlier demo made.
func fresh(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); err == nil {
		if _, err := os.Stat(filepath.Join(dir, marker)); err != nil {
			return "", fmt.Errorf("%s is not of an earlier demo: name another folder with -dir", dir)
		}
		if err := os.RemoveAll(dir); err != nil {
			return "", err
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	for _, sub := range []string{"online", "offline", "usb", "screen", "camera"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return "", err
		}
	}
	return dir, os.WriteFile(filepath.Join(dir, marker), nil, 0o600)
}
