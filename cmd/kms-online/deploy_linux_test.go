package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"coldkms/cmd/testtools/tatumtest"
)

// builtProgram builds kms-online.
func builtProgram(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kms-online")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// The deployment files are sound, and the program does what they rely on.
func TestDeployment(t *testing.T) {
	program := builtProgram(t)
	t.Run("unit-file", func(t *testing.T) { checkUnitFile(t, program) })
	t.Run("rules", checkRules)
	t.Run("notifies-systemd", func(t *testing.T) { checkNotifies(t, program) })
	t.Run("empty-root", func(t *testing.T) { checkEmptyRoot(t, program) })
}

// The unit file is one that systemd reads without a complaint, and its
// exposure is at most 2.0.
func checkUnitFile(t *testing.T, program string) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	text, err := os.ReadFile("deploy/kms-online.service")
	if err != nil {
		t.Fatal(err)
	}
	// verify wants the program to be where the unit says.
	unit := filepath.Join(t.TempDir(), "kms-online.service")
	text = []byte(strings.Replace(string(text), "/usr/bin/kms-online", program, 1))
	if err := os.WriteFile(unit, text, 0o600); err != nil {
		t.Fatal(err)
	}
	verify := exec.Command("systemd-analyze", "verify", "--man=no", unit)
	if out, err := verify.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("verify: %v\n%s", err, out)
	}
	out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--threshold=20", unit).CombinedOutput()
	if err != nil {
		t.Errorf("security: %v\n%s", err, out)
	}
}

// Rules and dashboard use metrics that the documentation has.
func checkRules(t *testing.T) {
	page, err := os.ReadFile("../../docs/DAEMON.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"deploy/alerts.yml", "deploy/dashboard.json"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, metric := range regexp.MustCompile(`kms_\w+`).FindAllString(string(text), -1) {
			if row := "| `" + strings.TrimSuffix(metric, "_bucket"); !strings.Contains(string(page), row+"`") && !strings.Contains(string(page), row+"{") {
				t.Errorf("%s uses %s, which docs/DAEMON.md does not have", name, metric)
			}
		}
		if strings.HasSuffix(name, ".json") && !json.Valid(text) {
			t.Errorf("%s is not JSON", name)
		}
	}
	if _, err := exec.LookPath("promtool"); err != nil {
		return // the rules' syntax is checked where Prometheus is installed
	}
	if out, err := exec.Command("promtool", "check", "rules", "deploy/alerts.yml").CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

// initRelay makes a relay without a signer.
func initRelay(t *testing.T, program, dir string) {
	t.Helper()
	cmd := exec.Command(program, "--state", dir, "init")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("init: %v\n%s", err, out)
	}
}

// The daemon tells systemd that it is ready, resets the watchdog, and tells it
// that it stops, as Type=notify and WatchdogSec= want.
func checkNotifies(t *testing.T, program string) {
	dir := t.TempDir()
	initRelay(t, program, filepath.Join(dir, "relay"))
	socket := filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, program, "--state", filepath.Join(dir, "relay"), "daemon", "--period", "1")
	cmd.Env = []string{
		"HOME=" + dir, "TATUM_API_URL=" + tatumtest.New(t).URL, "TATUM_API_KEY=" + tatumtest.Key,
		"NOTIFY_SOCKET=" + socket, "WATCHDOG_USEC=300000",
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	receive := func(want string) {
		t.Helper()
		if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 256)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				t.Fatalf("no %s: %v", want, err)
			}
			if string(buf[:n]) == want {
				return
			}
		}
	}
	receive("READY=1")
	receive("WATCHDOG=1")
	receive("WATCHDOG=1")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	receive("STOPPING=1")
	if err := cmd.Wait(); err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
}

// The program needs nothing but itself: it runs in an empty root directory, as
// in the container image, as a user without a name.
func checkEmptyRoot(t *testing.T, path string) {
	if os.Getuid() != 0 {
		t.Skip("chroot needs root")
	}
	root := t.TempDir()
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "kms-online"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"state", "drop"} {
		if err := os.Mkdir(filepath.Join(root, sub), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Join(root, sub), 65532, 65532); err != nil {
			t.Fatal(err)
		}
	}
	for dir := root; dir != "/" && strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	inside := func(args ...string) *exec.Cmd {
		cmd := exec.Command("/kms-online", append([]string{"--state", "/state/relay"}, args...)...)
		cmd.Dir = "/"
		cmd.Env = []string{"TATUM_API_URL=" + tatumtest.New(t).URL, "TATUM_API_KEY=" + tatumtest.Key}
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
		return cmd
	}
	if out, err := inside("init").CombinedOutput(); err != nil {
		t.Fatalf("init: %v\n%s", err, out)
	}
	daemon := inside("daemon", "--drop", "/drop/coldkms", "--log-json", "--period", "1")
	log, err := daemon.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(log)
	if !lines.Scan() || !strings.Contains(lines.Text(), `"begins"`) {
		t.Errorf("the daemon does not begin: %s", lines.Text())
	}
	_ = daemon.Process.Signal(syscall.SIGTERM)
	for lines.Scan() {
	}
	if err := daemon.Wait(); err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
}
