//go:build unix

package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/cmd/testtools/tatumtest"
	"coldkms/online"
	"coldkms/online/tatum"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
)

// open: what each step costs an item, with few and with many items open.
func (t *table) open() error {
	return t.onBoth(func(name string, fresh func() (string, error)) error {
		few, err := t.steps(fresh, 1000)
		if err != nil {
			return err
		}
		n := t.size(t.items)
		many, err := t.steps(fresh, n)
		if err != nil {
			return err
		}
		for i, m := range many {
			goal := "≤ 1.3 ×"
			if m.name == "broadcast" {
				goal += ", CPU ≤ 1 ms"
			}
			t.add(fmt.Sprintf("%d open, %s: %s, an item", n, name, m.name), micro(m.cpu)+" CPU, "+micro(m.wall)+" in all",
				fmt.Sprintf("%.2f × the CPU, %.2f × the time of 1000", ratio(m.cpu, few[i].cpu), ratio(m.wall, few[i].wall)), goal)
		}
		return nil
	})
}

// cost is what a step costs an item.
type cost struct {
	name      string
	cpu, wall time.Duration
}

// steps takes n items all the way through a relay. Tatum is another process, so
// that the CPU is the relay's alone.
func (t *table) steps(fresh func() (string, error), n int) ([]cost, error) {
	dir, err := os.MkdirTemp("", "coldkms-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	address, stop, err := tatumOf(n)
	if err != nil {
		return nil, err
	}
	defer stop()
	database, err := fresh()
	if err != nil {
		return nil, err
	}
	ctx, signer := context.Background(), relaytest.NewSigner(2)
	o := online.Options{Families: relaytest.Families(), Dir: filepath.Join(dir, "relay"), Database: database,
		FS: durable.OS{}, Now: time.Now}
	if _, err := online.InitShared(ctx, o.FS, o.Dir, database, rand.Reader, o.Now); err != nil {
		return nil, err
	}
	r, err := online.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if r.Tatum, err = tatum.New(tatum.Config{URL: address, Key: tatumtest.Key, Now: time.Now, Sleep: tatum.Sleep,
		Jitter: func() float64 { return 0 }}); err != nil {
		return nil, err
	}
	if _, err := r.Pair(ctx, signer.Watch(time.Now().Unix())); err != nil {
		return nil, err
	}
	p := &passing{Relay: r, n: n, usb: filepath.Join(dir, "usb"), signer: signer, profile: t.profile}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{{"fetch", p.fetch}, {"export", p.export}, {"", p.sign}, {"import", p.imports}, {"broadcast", p.broadcast}} {
		if err := p.measure(ctx, step.name, step.do); err != nil {
			return nil, fmt.Errorf("%s of %d: %w", step.name, n, err)
		}
	}
	return p.costs, nil
}

// passing is items on their way through a relay.
type passing struct {
	*online.Relay
	n       int
	usb     string
	signer  *relaytest.Signer
	results [][]byte
	costs   []cost
	profile string
}

// measure runs a step. One without a name is not the relay's.
func (p *passing) measure(ctx context.Context, name string, do func(context.Context) error) error {
	cpu, begin := used(), time.Now()
	if err := do(ctx); err != nil || name == "" {
		return err
	}
	each := func(d time.Duration) time.Duration { return d / time.Duration(p.n) }
	p.costs = append(p.costs, cost{name, each(used() - cpu), each(time.Since(begin))})
	return nil
}

// used is the CPU time that this process has used.
func used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (p *passing) fetch(ctx context.Context) error {
	got, err := p.Fetch(ctx, online.FetchOptions{Network: chain.Testnet})
	if err == nil && got.Prepared != p.n {
		err = fmt.Errorf("%d prepared", got.Prepared)
	}
	return err
}

func (p *passing) export(ctx context.Context) error {
	if err := os.MkdirAll(p.usb, 0o700); err != nil {
		return err
	}
	for left := p.n; left > 0; {
		got, err := p.Export(ctx, online.ExportOptions{Dir: p.usb})
		if err != nil {
			return err
		}
		if got.Items == 0 {
			return fmt.Errorf("%d are left", left)
		}
		left -= got.Items
	}
	return nil
}

// sign is what the signer does.
func (p *passing) sign(context.Context) error {
	files, err := filepath.Glob(filepath.Join(p.usb, "*.kmsreq"))
	if err != nil {
		return err
	}
	for _, path := range files {
		file, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		req, err := bundle.OpenRequest(file)
		if err != nil {
			return err
		}
		p.results = append(p.results, p.signer.Sign(req, nil))
	}
	return nil
}

func (p *passing) imports(ctx context.Context) error {
	var report online.Imported
	for _, file := range p.results {
		if err := p.Import(ctx, file, &report); err != nil {
			return err
		}
	}
	if report.Imported != p.n {
		return fmt.Errorf("%d imported", report.Imported)
	}
	return nil
}

func (p *passing) broadcast(ctx context.Context) error {
	if p.profile != "" {
		f, err := os.Create(p.profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	got, err := p.Broadcast(ctx, online.BroadcastOptions{})
	if err == nil && len(got.Completed) != p.n {
		err = fmt.Errorf("%d completed, %d problems", len(got.Completed), len(got.Problems))
	}
	return err
}

// tatumOf starts this program as a Tatum with n pending transactions.
func tatumOf(n int) (address string, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.Command(self, "-tatum", fmt.Sprint(n))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return "", nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	stop = func() { _ = in.Close(); _ = cmd.Wait() }
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("fake Tatum of %d: %w", n, err)
	}
	return strings.TrimSpace(line), stop, nil
}

// serveTatum is a Tatum with n pending transactions until nobody wants it.
func serveTatum(n int) {
	server, stop := tatumtest.Start()
	defer stop()
	ask(server, n)
	fmt.Println(server.URL)
	_, _ = io.Copy(io.Discard, os.Stdin)
}
