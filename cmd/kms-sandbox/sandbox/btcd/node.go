// Package btcd runs a btcd in regression test mode as a child process, and is
// the sandbox's Node for Bitcoin.
//
// btcd removes its regression test chain each time it starts, so that the
// chain is whatever is submitted to it then; sandbox.Server keeps the blocks.
//
// The node listens on loopback only, on a port of its own, with a user name
// and password made anew at each start. They are in a file that only the user
// can read, never on a command line. The child ends with its parent: by RPC
// when closed, by the kernel (on Linux) when the parent is killed. Elsewhere a node that outlived its parent is stopped, by the
// password in its file, when the next one starts.
package btcd

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Node is a running btcd.
type Node struct {
	rpc     *rpc
	child   *child
	conf    string
	cache   cache
	heights sync.Map // of blocks, by hash
	mempool mempool
}

const (
	confName   = "btcd.conf"
	startLimit = 60 * time.Second
	stopLimit  = 20 * time.Second
	attempts   = 4 // a port may be taken in between, a killed node may still be going down
)

// Start runs the btcd at binary in dir, mining to miningAddress, and waits
// until it answers. It has an empty chain then.
func Start(ctx context.Context, binary, dir, miningAddress string) (*Node, error) {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, fmt.Errorf("btcd: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("btcd: %w", err)
	}
	stopOrphan(ctx, filepath.Join(dir, confName))
	for attempt := 1; ; attempt++ {
		n, err := start(ctx, binary, dir, miningAddress)
		if err == nil || attempt == attempts || ctx.Err() != nil || !errors.Is(err, errEnded) {
			return n, err
		}
		select {
		case <-time.After(time.Duration(attempt) * time.Second):
		case <-ctx.Done():
		}
	}
}

func start(ctx context.Context, binary, dir, miningAddress string) (*Node, error) {
	user, pass, port, err := credentials()
	if err != nil {
		return nil, err
	}
	n := &Node{conf: filepath.Join(dir, confName)}
	n.rpc = newRPC(net.JoinHostPort("127.0.0.1", port), user, pass)
	if err := writeConf(n.conf, user, pass, port, miningAddress); err != nil {
		return nil, err
	}
	if n.child, err = startChild(binary, dir); err != nil {
		return nil, err
	}
	if err := n.ready(ctx); err != nil {
		n.child.kill()
		return nil, err
	}
	return n, nil
}

// ready waits until btcd answers, ends, or the time is up.
func (n *Node) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-n.child.ended:
			return n.child.failure()
		case <-ctx.Done():
			return fmt.Errorf("btcd: did not answer: %w", ctx.Err())
		case <-tick.C:
		}
		if _, err := n.Tip(ctx); err == nil {
			return nil
		}
	}
}

// Ended is closed when the process has ended, for whatever reason.
func (n *Node) Ended() <-chan struct{} { return n.child.ended }

// Close stops btcd and waits for its end.
func (n *Node) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	err := n.rpc.call(ctx, nil, "stop") // fails if it has ended by itself
	select {
	case <-n.child.ended:
	case <-ctx.Done():
		n.child.kill()
		return fmt.Errorf("btcd: had to be killed: %w", errors.Join(err, ctx.Err()))
	}
	return os.Remove(n.conf) // says that nothing was left behind
}

// Kill ends btcd at once, as a crash would.
func (n *Node) Kill() { n.child.kill() }

// writeConf writes everything but the places of the files, which are given
// relative to the working directory: btcd would expand a $ in a path.
func writeConf(path, user, pass, port, miningAddress string) error {
	if strings.ContainsAny(miningAddress, "\r\n") {
		return fmt.Errorf("btcd: mining address %.40q", miningAddress)
	}
	lines := []string{
		"[Application Options]", "regtest=1", "txindex=1", "addrindex=1", "notls=1", "nolisten=1",
		"rpclisten=127.0.0.1:" + port, "rpcuser=" + user, "rpcpass=" + pass,
		"rpcmaxclients=64", "rpcmaxconcurrentreqs=64", "utxocachemaxsize=16", "miningaddr=" + miningAddress,
	}
	_ = os.Remove(path) // so that the mode below is the file's
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return fmt.Errorf("btcd: %w", err)
	}
	return nil
}

// credentials makes a user, a password and finds a port that is free now.
func credentials() (user, pass, port string, err error) {
	var random [32]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", "", "", fmt.Errorf("btcd: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", "", fmt.Errorf("btcd: find a port: %w", err)
	}
	defer l.Close()
	_, port, err = net.SplitHostPort(l.Addr().String())
	return hex.EncodeToString(random[:8]), hex.EncodeToString(random[8:]), port, err
}

// stopOrphan stops a node that outlived its parent: its file is still there.
func stopOrphan(ctx context.Context, conf string) {
	raw, err := os.ReadFile(conf)
	if err != nil {
		return
	}
	values := make(map[string]string)
	for line := range bytes.Lines(raw) {
		name, value, _ := strings.Cut(strings.TrimSpace(string(line)), "=")
		values[name] = value
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	// An error means that nobody is there, which is what is wanted.
	_ = newRPC(values["rpclisten"], values["rpcuser"], values["rpcpass"]).call(ctx, nil, "stop")
}
