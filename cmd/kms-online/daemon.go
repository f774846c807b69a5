package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
	"coldkms/online/daemon"
	"coldkms/online/daemon/events"
	"coldkms/online/daemon/metrics"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
	"coldkms/shared/transport/file"
)

// daemonFlags are what only daemon has.
type daemonFlags struct {
	chains, ids            []string
	drop                   string
	period, max            int
	every, watchEvery      time.Duration
	confirmations          []string
	late                   time.Duration
	runOnce                bool
	listen                 string
	anywhere               bool
	eventURL, eventCommand string
	eventHistory           bool
	logJSON                bool
}

func (a *app) daemon() *cobra.Command {
	var f daemonFlags
	cmd := &cobra.Command{
		Use:   "daemon",
		Short: "do all of it by itself, through a folder such as a USB stick",
		Long: `daemon fetches, puts requests into the drop folder, takes results from it,
broadcasts, marks as complete, and looks how deep what was sent is in the chain,
again and again. It tells people of what has ended and of what waits too long.

The drop folder is one on the stick, such as /media/usb/coldkms, that you have
made there: while the stick is away the folder is away, and nothing is exported.
Results that were taken, and requests that have their result, are moved into
done/ beside them; files that cannot be taken into bad/, with the reason. A
request whose result does not come is put onto the next stick again.

Other commands work beside it at any time. SIGTERM and Ctrl-C end it
within seconds, at any moment without loss. Two daemons of one state directory
are refused (exit 11). With --runOnce the exit status is 3 where an item has a
problem or an element of Tatum's list cannot be used, and that of the first step
that failed where one did.

Every round costs credits at Tatum: one for each chain and 500 signature ids.
--budget is never exceeded; 40 % of it is kept for what is signed.`,
		Example: `  kms-online daemon --drop /media/usb/coldkms --confirmations 3
  kms-online daemon --chain BTC,LTC --period 30 --budget 20000/day --listen 127.0.0.1:9464
  kms-online daemon --runOnce`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.asRecord(a.explain(a.runDaemon(f))) },
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.chains, "chain", nil, "only these chains, such as BTC,LTC (default all that the signer has keys of)")
	flags.StringSliceVar(&f.ids, "transaction-ids", nil, "only these pending transactions (also --transactionIds)")
	flags.StringVar(&f.drop, "drop", "", "folder on the stick that requests and results go through")
	flags.IntVar(&f.period, "period", 10, "seconds between two looks of each loop")
	flags.IntVar(&f.max, "max", 0, "at most so many items in a request, oldest first (0: as many as fit)")
	flags.DurationVar(&f.every, "every", time.Minute, "make a new request at most so often")
	flags.StringSliceVar(&f.confirmations, "confirmations", nil, confirmationsHelp+"; 0: do not watch")
	flags.DurationVar(&f.watchEvery, "watch-every", 2*time.Minute, "look at the chain at most so often; a look costs 3 to 14 credits a transaction")
	flags.DurationVar(&f.late, "late-after", 24*time.Hour, "tell people of what is in one state for longer (0: never)")
	flags.BoolVar(&f.runOnce, "run-once", false, "make one round, print what it did, and end (also --runOnce)")
	flags.StringVar(&f.listen, "listen", "", "serve /metrics (Prometheus), /livez, /readyz and /healthz at this address, such as 127.0.0.1:9464")
	flags.BoolVar(&f.anywhere, "listen-anywhere", false, "let --listen be an address that other machines reach; nothing there is encrypted or asks for a password")
	flags.StringVar(&f.eventURL, "event-url", "", "post events as JSON to this address: alarm, late, completed, refused, rejected, failed")
	flags.StringVar(&f.eventCommand, "event-command", "", "run this program for each event: its kind is the argument, the event is on stdin as JSON")
	flags.BoolVar(&f.eventHistory, "event-history", false, "at the first start with --event-url or --event-command: "+
		"report also all that came to an end before")
	flags.BoolVar(&f.logJSON, "log-json", false, "write the log, and whatever else goes to stderr, as JSON lines; only what is wrong with the command line is plain text")
	return cmd
}

func (a *app) runDaemon(f daemonFlags) error {
	dir, err := a.dir()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	d, m, err := a.makeDaemon(f, dir)
	if err != nil {
		return err
	}
	if f.logJSON { // from here on: what is wrong with the command line is said in plain words
		a.log = d.Log
	}
	a.resume(dir, d.Keys)
	if f.runOnce {
		return a.runOnce(ctx, d, dir)
	}
	if f.listen != "" {
		closing, err := a.serve(f, m.Handler(), d.Log)
		if err != nil {
			return err
		}
		defer closing()
	}
	sd := supervisor{alive: func() bool { return m.Alive() == "" }, warn: func(text string, err error) { d.Log.Warn(text, "event", daemon.LogNotifyFailed, "error", err.Error()) }}
	d.Open = sd.whenOpen(d.Open)
	defer sd.stopping()
	go sd.watchdog(ctx)
	d.Log.Info("begins", "event", daemon.LogStarted, "state", dir, "drop", f.drop, "period", d.Period.String(), "keys", len(d.Keys), "pid", os.Getpid())
	err = d.Run(ctx)
	if err == nil {
		if werr := a.stopped(dir); werr != nil {
			d.Log.Error("what status shows of the daemon was not written", "event", daemon.LogStatusFailed, "error", werr.Error())
		}
	}
	d.Log.Info("ends", "event", daemon.LogStopped, "clean", err == nil)
	return err
}

func (a *app) runOnce(ctx context.Context, d *daemon.Daemon, dir string) error {
	round, err := d.Once(ctx)
	if err == nil {
		err = a.stopped(dir)
	}
	if err != nil {
		return err
	}
	if err := a.JSON(round); err != nil {
		return err
	}
	if daemon.OnlyLeftOut(round.Err) {
		a.say("%v", round.Err)
		return part(true)
	}
	if round.Err != nil {
		return round.Err
	}
	return part(len(round.Problems) > 0)
}

// makeDaemon puts everything together.
func (a *app) makeDaemon(f daemonFlags, dir string) (*daemon.Daemon, *metrics.Metrics, error) {
	if f.period < 1 || f.max < 0 {
		return nil, nil, cli.Fail(cli.Usage, errors.New("--period is at least 1, --max at least 0"), "")
	}
	depths, unwatched, err := a.depthsOf(f.confirmations)
	if err != nil {
		return nil, nil, err
	}
	period := time.Duration(f.period) * time.Second
	m := metrics.New(a.now, period)
	keys, err := a.keys(m.Call)
	if err != nil {
		return nil, nil, err
	}
	if len(keys) == 0 {
		return nil, nil, errNoKey()
	}
	if _, err := a.fourEye(); err != nil {
		return nil, nil, err
	}
	d := &daemon.Daemon{
		Options: daemon.Options{
			IDs: trimmed(f.ids), Period: period, Every: f.every, Max: f.max, Depths: depths, Unwatched: unwatched, WatchEvery: f.watchEvery, LateAfter: f.late,
		},
		Keys: keys, Log: a.logger(f.logJSON), Now: a.now, Sleep: tatum.Sleep,
		Open: func(ctx context.Context) (*online.Relay, func() error, error) { return a.openDaemon(ctx, dir) },
	}
	for _, name := range trimmed(f.chains) {
		id, err := chain.ParseID(name)
		if err != nil {
			return nil, nil, cli.Fail(cli.Usage, err, "")
		}
		d.Chains = append(d.Chains, id)
	}
	if f.drop != "" {
		drop := file.On(f.drop)
		d.Drop = &drop
	}
	d.Past = f.eventHistory
	if d.Tell, err = a.tellers(f); err != nil {
		return nil, nil, err
	}
	d.Saw = func(r daemon.Round) {
		m.Saw(r)
		if err := a.remember(dir, r, period); err != nil {
			d.Log.Error("what status shows of the daemon was not written", "event", daemon.LogStatusFailed, "error", err.Error())
		}
	}
	return d, m, nil
}

// openDaemon opens the relay for as long as the daemon runs.
func (a *app) openDaemon(ctx context.Context, dir string) (*online.Relay, func() error, error) {
	r, err := online.Open(ctx, online.Options{Families: a.families, Dir: dir, Database: a.database(), FS: a.fs, Now: a.now, Daemon: true})
	if err != nil {
		return nil, nil, err
	}
	if err := a.useService(ctx, r); err != nil {
		return nil, nil, errors.Join(err, r.Close())
	}
	return r, r.Close, nil
}

func (a *app) tellers(f daemonFlags) ([]daemon.Teller, error) {
	var all []daemon.Teller
	if f.eventURL != "" {
		w, err := events.NewWebhook(f.eventURL, nil)
		if err != nil {
			return nil, cli.Fail(cli.Usage, err, "")
		}
		a.secrets.AddURL(f.eventURL)
		all = append(all, w)
	}
	if f.eventCommand != "" {
		info, err := os.Stat(f.eventCommand)
		if err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			return nil, cli.Fail(cli.Usage, fmt.Errorf("--event-command: %s is not a program", f.eventCommand), "give the path of one, without arguments")
		}
		all = append(all, events.Command{Path: f.eventCommand, Env: []string{"PATH=" + a.getenv("PATH"), "HOME=" + a.getenv("HOME")}, Secrets: &a.secrets})
	}
	return all, nil
}

// serve listens for whoever watches the daemon.
func (a *app) serve(f daemonFlags, handler http.Handler, log *slog.Logger) (closing func(), err error) {
	host, _, err := net.SplitHostPort(f.listen)
	if err != nil {
		return nil, cli.Fail(cli.Usage, fmt.Errorf("--listen: %w", err), "such as: --listen 127.0.0.1:9464")
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) && !f.anywhere {
		return nil, cli.Fail(cli.Usage, fmt.Errorf("--listen %s is not a loopback address, not this machine only", f.listen), "use 127.0.0.1, or say --listen-anywhere")
	}
	l, err := net.Listen("tcp", f.listen)
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	s := &http.Server{Handler: handler, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(log.With("event", daemon.LogServer).Handler(), slog.LevelWarn)}
	go func() { _ = s.Serve(l) }()
	a.say("serves http://%s/metrics, /livez, /readyz and /healthz", l.Addr())
	return func() { _ = s.Close() }, nil
}

// daemonFile is what a daemon leaves for status to show, and for the next one
// to go on counting credits.
const daemonFile = "daemon.json"

// seen is the content of daemonFile.
type seen struct {
	PID     int          `json:"pid"`
	Host    string       `json:"host,omitempty"`
	Period  int          `json:"periodSeconds"`
	Stopped time.Time    `json:"stopped,omitzero"` // when it ended, if it ended by itself
	Round   daemon.Round `json:"round"`
}

const maxDaemonFile = 1 << 20

func (a *app) remember(dir string, r daemon.Round, period time.Duration) error {
	host, _ := os.Hostname()
	return a.leave(dir, seen{PID: os.Getpid(), Host: host, Period: int(period / time.Second), Round: r})
}

// stopped records that this process's daemon has ended.
func (a *app) stopped(dir string) error {
	s, ok := a.lastSeen(dir)
	if !ok || s.PID != os.Getpid() {
		return nil
	}
	s.Stopped = a.now().UTC()
	return a.leave(dir, s)
}

func (a *app) leave(dir string, s seen) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return durable.Replace(a.fs, filepath.Join(dir, daemonFile), append(text, '\n'), durable.PermFile, nil)
}

// lastSeen reads what the last daemon left, if it did.
func (a *app) lastSeen(dir string) (seen, bool) {
	var s seen
	text, err := durable.ReadFile(a.fs, filepath.Join(dir, daemonFile), maxDaemonFile)
	return s, err == nil && json.Unmarshal(text, &s) == nil
}

// resume has the keys count on from what the last daemon used.
func (a *app) resume(dir string, keys []daemon.Key) {
	s, ok := a.lastSeen(dir)
	if !ok {
		return
	}
	for _, k := range keys {
		k.Pace.Resume(s.Round.Usage[k.Name])
	}
}
