package main

import (
	"context"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"

	"coldkms/online"
	"coldkms/online/daemon"
)

// supervisor tells systemd how the daemon is, by the protocol of sd_notify(3).
// Outside systemd (no NOTIFY_SOCKET) all of it does nothing.
type supervisor struct {
	alive func() bool // whether every loop of the daemon still runs
	warn  func(text string, err error)
}

func (s supervisor) notify(state string) {
	if _, err := systemd.SdNotify(false, state); err != nil {
		s.warn("systemd was not notified of "+state, err)
	}
}

func (s supervisor) stopping() { s.notify(systemd.SdNotifyStopping) }

// whenOpen returns an opener after whose success the service counts as started.
func (s supervisor) whenOpen(open daemon.Opener) daemon.Opener {
	return func(ctx context.Context) (*online.Relay, func() error, error) {
		r, closing, err := open(ctx)
		if err == nil {
			s.notify(systemd.SdNotifyReady)
		}
		return r, closing, err
	}
}

// watchdog resets the timer of WatchdogSec= while alive, until ctx is done.
func (s supervisor) watchdog(ctx context.Context) {
	within, err := systemd.SdWatchdogEnabled(false)
	if err != nil {
		s.warn("WATCHDOG_USEC is not usable", err)
	}
	if within <= 0 {
		return
	}
	tick := time.NewTicker(within / 3)
	defer tick.Stop()
	for {
		if s.alive() {
			s.notify(systemd.SdNotifyWatchdog)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
