//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"coldkms/cmd/testtools/expect"
)

// demo is the stage: the programs, the folders, and what was learnt so far.
type demo struct {
	ctx       context.Context
	bin, dir  string
	url       string
	coin      coin
	crossings int
	byQR      bool // no stick: one machine's screen, the other's camera
	looked    bool // the review has something to look at: a plain yes does not sign
	started   time.Time

	mnemonicID, xpub, key, from, keyID, funding, pendingID, txID string
}

const apiKey = "sandbox-testnet-key"

func (d *demo) title(s string) { fmt.Printf("\n\033[1m%s\033[0m\n", s) }

func (d *demo) say(s string) { fmt.Printf("\n%s\n", s) }

// startSandbox starts the local Tatum and waits until it answers.
func (d *demo) startSandbox() (stop func(), err error) {
	d.title("A local Tatum over " + d.coin.node)
	args := []string{"--state", filepath.Join(d.dir, "sandbox"), "--listen", "127.0.0.1:0", "--ready-file",
		filepath.Join(d.dir, "ready"), "--api-key", apiKey}
	fmt.Println("\n$ kms-sandbox")
	log, err := os.Create(filepath.Join(d.dir, "sandbox.log"))
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(filepath.Join(d.bin, "kms-sandbox"), args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is ours; it is stopped below
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the sandbox: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait(); log.Close() }()
	stop = func() {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
		}
	}
	for {
		if url, err := os.ReadFile(filepath.Join(d.dir, "ready")); err == nil {
			d.url = strings.TrimSpace(string(url))
			fmt.Printf("listening on %s\n", d.url)
			return stop, nil
		}
		select {
		case err := <-ended:
			text, _ := os.ReadFile(log.Name())
			return nil, fmt.Errorf("the sandbox ended: %v\n%s", err, text)
		case <-d.ctx.Done():
			stop()
			return nil, d.ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (d *demo) offline(reply any, line string, answers ...expect.Answer) error {
	return d.run("offline", "kms-offline", line, reply, answers...)
}

func (d *demo) online(reply any, line string) error {
	return d.run("online", "kms-online", line, reply)
}

func (d *demo) sandbox(reply any, line string) error {
	return d.run("online", "kms-sandbox", line, reply)
}

// run prints a command, runs it in the folder of its machine, prints what it
// showed, and reads its JSON reply.
func (d *demo) run(folder, program, line string, reply any, answers ...expect.Answer) error {
	fmt.Printf("\n$ %s %s\n", program, line)
	cmd := exec.Command(filepath.Join(d.bin, program), strings.Fields(line)...)
	cmd.Dir = filepath.Join(d.dir, folder)
	if folder == "online" {
		cmd.Env = append(os.Environ(), "TATUM_API_URL="+d.url, "TATUM_API_KEY="+apiKey)
	}
	got, err := expect.Run(d.ctx, cmd, answers...)
	if err != nil {
		return err
	}
	for _, text := range []string{got.Screen, got.Stderr, got.Stdout} {
		if text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")); text != "" {
			fmt.Println(text)
		}
	}
	if got.Code != 0 {
		return fmt.Errorf("%s %s: exit code %d", program, line, got.Code)
	}
	if reply == nil {
		return nil
	}
	return json.Unmarshal([]byte(got.Stdout), reply)
}

// curl sends a request as a backend would, and prints the command for it.
func (d *demo) curl(method, path, body string) ([]byte, error) {
	fmt.Printf("\n$ curl -X %s \"$TATUM_API_URL%s\" -H \"x-api-key: $TATUM_API_KEY\"", method, path)
	if body != "" {
		fmt.Printf(" -H 'content-type: application/json' -d '%s'", body)
	}
	fmt.Println()
	req, err := http.NewRequestWithContext(d.ctx, method, d.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("x-api-key", apiKey)
	req.Header.Set("content-type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	var pretty bytes.Buffer
	if json.Indent(&pretty, reply, "", "  ") != nil {
		return nil, fmt.Errorf("not JSON: %.200q", reply)
	}
	fmt.Println(pretty.String())
	if resp.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	return reply, nil
}

func (d *demo) copy(from, to string) error {
	fmt.Printf("\n$ cp %s ../%s\n", from, to)
	if !filepath.IsAbs(from) {
		from = filepath.Join(d.dir, "online", from)
	}
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if len(b) == 0 {
		return errors.New("the identity file is empty")
	}
	return os.WriteFile(filepath.Join(d.dir, to), b, 0o600)
}
