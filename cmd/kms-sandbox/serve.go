package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/cmd/kms-sandbox/sandbox"
	"coldkms/cmd/kms-sandbox/sandbox/approver"
	"coldkms/cmd/kms-sandbox/sandbox/local"
	"coldkms/cmd/kms-sandbox/sandbox/records"
)

// serveOptions are the flags of serve, which is what the program does when no
// command is given.
type serveOptions struct {
	state, listen, btcd, readyFile, apiKey string
	approver                               approverOptions
}

func serveCommand(s cli.Streams) *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "run the sandbox until it is interrupted (the default)",
		Example: "  kms-sandbox serve\n  kms-sandbox serve --listen 127.0.0.1:0 --ready-file url",
		Long: `
Starts a btcd of its own, mines until segwit is active, and serves the API on
loopback. The chain and the pending transactions stay in the state folder and
are there again at the next start, also after a kill.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.apiKey, err = cmd.Flags().GetString("api-key"); err != nil {
				return err
			}
			return serve(cmd.Context(), o, s)
		},
	}
	cmd.Flags().StringVar(&o.state, "state", "", "folder of all state (default: kms-sandbox in the user's configuration folder)")
	cmd.Flags().StringVar(&o.listen, "listen", "127.0.0.1:3000", "loopback `address` to listen on; port 0 takes a free one")
	cmd.Flags().StringVar(&o.btcd, "btcd", "", "`path` of the btcd program (default: beside this program, in PATH, or built with Go inside this module)")
	cmd.Flags().StringVar(&o.readyFile, "ready-file", "", "`file` to write the base URL to once the sandbox answers; removed when it stops")
	o.approver.flags(cmd)
	return cmd
}

func serve(ctx context.Context, o serveOptions, s cli.Streams) error {
	if err := checkLoopback(o.listen); err != nil {
		return cli.Fail(cli.Usage, err, "")
	}
	if o.apiKey == "" {
		return cli.Fail(cli.Usage, errors.New("the API key must not be empty"), "")
	}
	if err := o.chooseState(); err != nil {
		return err
	}
	vouching, err := o.approver.approver()
	if err != nil {
		return err
	}
	binary, err := findBtcd(ctx, o)
	if err != nil {
		return cli.Fail(cli.Failed, err, "give its path with --btcd, or run this inside the source tree with Go installed")
	}
	box, err := local.Open(ctx, local.Config{Dir: o.state, Btcd: binary, Server: sandbox.Config{APIKey: o.apiKey}})
	if errors.Is(err, records.ErrLocked) {
		return cli.Fail(cli.Locked, err, "stop the other one, or give this one its own --state")
	}
	if err != nil {
		return err
	}
	return errors.Join(listenAndServe(ctx, o, box, vouching, s), box.Close())
}

func (o *serveOptions) chooseState() error {
	if o.state != "" {
		return nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return cli.Fail(cli.Usage, fmt.Errorf("no place for the state: %w", err), "give a folder with --state")
	}
	o.state = filepath.Join(dir, "kms-sandbox")
	return nil
}

// checkLoopback refuses to listen where another machine could reach.
func checkLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("listen: %q is not a loopback address, and the sandbox serves nobody else", host)
}

func listenAndServe(ctx context.Context, o serveOptions, box *local.Sandbox, vouching approver.Approver, s cli.Streams) error {
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return cli.Fail(cli.Network, fmt.Errorf("listen: %w", err), "give another address with --listen, such as 127.0.0.1:0")
	}
	server := &http.Server{
		Handler:           beside(box, vouching),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      5 * time.Minute, // mining a thousand blocks, listing a long history
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	url := "http://" + listener.Addr().String()
	if o.readyFile != "" {
		if err := writeReady(o.readyFile, url); err != nil {
			return errors.Join(err, server.Close())
		}
		defer os.Remove(o.readyFile)
	}
	greet(s.Err, url, o)
	greetApprover(s.Err, url, vouching)
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-box.Node.Ended():
		return errors.Join(errors.New("btcd ended by itself; its log is in "+filepath.Join(o.state, "btcd", "logs")), server.Close())
	case <-ctx.Done():
	}
	fmt.Fprintln(s.Err, "kms-sandbox: stopping")
	limit, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(limit); err != nil {
		return errors.Join(fmt.Errorf("serve: %w", err), server.Close())
	}
	return nil
}

func greet(w io.Writer, url string, o serveOptions) {
	key := o.apiKey
	if key != sandbox.DefaultAPIKey {
		key = "'the key you gave'"
	}
	fmt.Fprintf(w, `kms-sandbox: listening on %s, state in %s

In another terminal:

  export TATUM_API_URL=%s
  export TATUM_API_KEY=%s
  kms-sandbox faucet ADDRESS 0.01
  kms-sandbox pay --from ADDRESS --signature-id ID --to ADDRESS=0.005 --fee 0.0001 --change ADDRESS

Ctrl-C stops it; the chain and what is pending stay.
`, url, o.state, url, key)
}

// writeReady writes the URL so that a reader sees all of it or nothing.
func writeReady(path, url string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".ready-*")
	if err != nil {
		return fmt.Errorf("ready file: %w", err)
	}
	_, err = fmt.Fprintln(f, url)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("ready file: %w", err), os.Remove(f.Name()))
	}
	return nil
}
