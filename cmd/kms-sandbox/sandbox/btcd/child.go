package btcd

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
)

// errEnded says that the process ended by itself.
var errEnded = errors.New("btcd ended")

// child is the process.
type child struct {
	cmd   *exec.Cmd
	out   tail
	ended chan struct{}
	err   error // set before ended is closed
}

// startChild runs btcd in dir. The process is started and waited for on one
// thread, as the kernel ends it when that thread dies.
func startChild(binary, dir string) (*child, error) {
	c := &child{ended: make(chan struct{})}
	c.cmd = exec.Command(binary, "--configfile="+confName, "--datadir=data", "--logdir=logs")
	home, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("btcd: %w", err)
	}
	c.cmd.Dir = dir
	c.cmd.Env = append(os.Environ(), "HOME="+home, "LOCALAPPDATA="+home) // it makes a folder there
	c.cmd.Stdout, c.cmd.Stderr = &c.out, &c.out
	dieWithParent(c.cmd)
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := c.cmd.Start()
		started <- err
		if err == nil {
			c.err = c.cmd.Wait()
			close(c.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("btcd: start %s: %w", binary, err)
	}
	return c, nil
}

// failure tells why the process ended, with its last words.
func (c *child) failure() error {
	return fmt.Errorf("%w (%v), its last words: %.600q", errEnded, c.err, c.out.String())
}

func (c *child) kill() {
	_ = c.cmd.Process.Kill() // it may have ended already
	<-c.ended
}

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailSize = 600

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if len(t.b) > tailSize {
		t.b = append([]byte(nil), t.b[len(t.b)-tailSize:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}
