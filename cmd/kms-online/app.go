package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/term"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
	"coldkms/online/daemon"
	"coldkms/online/journal"
	"coldkms/online/prepare"
	"coldkms/online/redact"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
)

// app is the program with its flags.
type app struct {
	cli.Streams
	fs     durable.FS
	now    func() time.Time
	getenv func(string) string

	families prepare.Families // of chains, each one folder of online/prepare

	typed func(string) string // completes the commands in a text, see cli.Typed

	log *slog.Logger // of a daemon that logs as JSON: it has everything that goes to people

	config cli.Config // flags from a file

	secrets redact.Set // never shown, whoever says them

	apiKey, apiURL, envFile, state, local string
	externalURL, externalMethod, keyFile  string
	budgets                               []string
	rate                                  int
	testnet, json                         bool
}

// say tells people something.
func (a *app) say(format string, args ...any) {
	text := a.secrets.Text(a.typed(fmt.Sprintf(format, args...)))
	if a.log != nil {
		a.log.Info(text, "event", daemon.LogNote)
		return
	}
	fmt.Fprintf(a.Err, "kms-online: %s\n", cli.Printable(text))
}

// interruptible ends when the person or the system wants the program to end;
// a second signal ends it at once.
func interruptible() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// only is the network that other commands than fetch are limited to.
func (a *app) only() chain.Network {
	if a.testnet {
		return chain.Testnet
	}
	return chain.UnknownNetwork
}

// database is the address of a journal that relays share, "" for one of its
// own in the state directory.
func (a *app) database() string {
	if journal.IsAddress(a.state) {
		return a.state
	}
	return ""
}

// dir is the state directory.
func (a *app) dir() (string, error) {
	switch {
	case a.local != "" && a.state != "" && a.database() == "":
		return "", cli.Fail(cli.Usage, errors.New("--state and --dir both name a directory"), "--dir is for the identity where --state is a postgres:// address")
	case a.local != "":
		return a.local, nil
	case a.state != "" && a.database() == "":
		return a.state, nil
	}
	config, err := os.UserConfigDir()
	if err != nil {
		return "", cli.Fail(cli.Usage, fmt.Errorf("no place for the state: %w", err), "give one with --state DIR")
	}
	return filepath.Join(config, "coldkms", "relay"), nil
}

// use says what a command needs of the relay.
type use uint8

const (
	onDisk    use = iota // the state directory
	looking              // the same, beside a process that works with it
	withTatum            // the state directory and an API key
)

// relay runs one step on the opened state directory.
func (a *app) relay(what use, step func(context.Context, *online.Relay) error) error {
	dir, err := a.dir()
	if err != nil {
		return err
	}
	keys, err := a.keys(nil)
	if what != withTatum && (errors.Is(err, tatum.ErrURL) || errors.Is(err, tatum.ErrKey)) {
		keys, err = nil, nil // said by the commands that need it
	}
	if err != nil {
		return explain(err)
	}
	if len(keys) == 0 && what == withTatum {
		return errNoKey()
	}
	if _, err := a.fourEye(); err != nil {
		return explain(err)
	}
	ctx, stop := interruptible()
	defer stop()
	r, err := online.Open(ctx, online.Options{Families: a.families, Dir: dir, Database: a.database(), FS: a.fs, Now: a.now, Read: what == looking})
	if err != nil {
		return a.explain(err)
	}
	r.Person = person()
	if r.Full {
		a.say("%v: nothing goes on until you free some space there (df -h); nothing is lost", errDiskFull(dir))
	}
	if what != looking {
		err = a.useService(ctx, r)
	}
	daemon.Lend(r, keys)
	done := a.progress(r)
	if err == nil {
		err = step(ctx, r)
	}
	done()
	return a.explain(errors.Join(err, r.Close()))
}

func errNoKey() error {
	return cli.Fail(cli.Usage, errors.New("there is no API key"), "set TATUM_API_KEY, or give --env-file, --api-key-file or --api-key; kms-online setup asks for it and keeps it")
}

// progress shows on a terminal, and nowhere else, how far a long step is.
func (a *app) progress(r *online.Relay) (done func()) {
	f, ok := a.Err.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func() {}
	}
	var last time.Time
	shown := false
	r.Progress = func(done, total int) {
		if now := a.now(); now.Sub(last) > 200*time.Millisecond {
			last, shown = now, true
			fmt.Fprintf(f, "\r%d of %d\x1b[K", done, total)
		}
	}
	wipe := func() {
		if shown {
			shown = false
			fmt.Fprint(f, "\r\x1b[K")
		}
	}
	before := a.Streams
	a.Streams = cli.Streams{Out: afterProgress{before.Out, wipe}, Err: afterProgress{before.Err, wipe}}
	return func() {
		wipe()
		a.Streams = before
	}
}

// afterProgress clears the line of progress before anything else is written.
type afterProgress struct {
	io.Writer
	wipe func()
}

// Write implements io.Writer.
func (w afterProgress) Write(b []byte) (int, error) {
	w.wipe()
	return w.Writer.Write(b)
}

// clean makes foreign words safe for a terminal.
func clean(problems []online.Problem) {
	for i := range problems {
		problems[i].Reason = cli.Printable(problems[i].Reason)
	}
}

// cleanItems makes foreign words about items safe for a terminal.
func cleanItems(list []online.Status) {
	for i := range list {
		s := &list[i]
		s.Reason, s.Trouble, s.HeldBy = cli.Printable(s.Reason), cli.Printable(s.Trouble), cli.Printable(s.HeldBy)
	}
}

// part is the end of a command of which some items have problems.
func part(bad bool) error {
	if bad {
		return cli.Silent(cli.Part)
	}
	return nil
}
