package main

import (
	"errors"
	"io"
	"log/slog"

	"coldkms/cmd/internal/cli"
	"coldkms/online/daemon"
	"coldkms/online/redact"
)

// logger writes what a daemon does to stderr: for people, or as JSON lines.
func (a *app) logger(asJSON bool) *slog.Logger {
	w := escaped{a.Err, &a.secrets}
	if asJSON {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}

// asRecord logs the error with which a daemon ends that logs as JSON, in the place
// of words for people.
func (a *app) asRecord(err error) error {
	known := &cli.Error{Code: cli.Failed, Err: err}
	if a.log == nil || err == nil || errors.As(err, &known) && known.Err == nil {
		return err
	}
	a.log.Error("failed", "event", daemon.LogFailed, "error", err.Error(), "hint", known.Hint, "exit", known.Code)
	return cli.Silent(known.Code)
}

// escaped makes foreign words safe for a terminal. What it writes is JSON's
// own form of an escape as well. Secrets are left out.
type escaped struct {
	to      io.Writer
	secrets *redact.Set
}

func (e escaped) Write(p []byte) (int, error) {
	if _, err := io.WriteString(e.to, cli.Printable(e.secrets.Text(string(p)))); err != nil {
		return 0, err
	}
	return len(p), nil
}
