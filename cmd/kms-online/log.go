package main

import (
	"io"
	"log/slog"

	"coldkms/cmd/internal/cli"
)

// logger writes what a daemon does to stderr: for people, or as JSON lines.
func (a *app) logger(asJSON bool) *slog.Logger {
	w := escaped{a.Err}
	if asJSON {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}

// escaped makes foreign words safe for a terminal. What it writes is JSON's
// own form of an escape as well.
type escaped struct{ to io.Writer }

func (e escaped) Write(p []byte) (int, error) {
	if _, err := io.WriteString(e.to, cli.Printable(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
