package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/shared/qr"
	"coldkms/shared/qr/show"
	"coldkms/shared/transport/ur"
)

// runBare runs the program without a wallet and returns its exit code and stderr.
func runBare(t *testing.T, program string, args ...string) (int, string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	_ = cmd.Run()
	return cmd.ProcessState.ExitCode(), stderr.String()
}

// What is no file of Coldkms is not shown, and symbols are written in no form that
// was not asked for.
func TestShowRefuses(t *testing.T) {
	program, dir := cheapProgram(t), t.TempDir()
	secrets := map[string]string{
		"password":  "correct horse battery staple\n",
		"words.txt": "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about\n",
		"psbt.txt":  "cHNidP8BAHECAAAAAQ==\n",
		"empty":     "",
		"a.kmsreq":  "not a request",
	}
	for name, text := range secrets {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		code, stderr := runBare(t, program, "show", path, "--qr-out", filepath.Join(dir, "out.html"))
		if code != 22 || !strings.Contains(stderr, "no file of Coldkms and no PSBT") {
			t.Errorf("%s: exit %d: %s", name, code, stderr)
		}
	}
	relay := filepath.Join(dir, "relay.kmsid")
	if err := os.WriteFile(relay, relayKey(1).File(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"w.jpg", "w.jpeg", "w.pdf", "w.svg"} {
		code, stderr := runBare(t, program, "show", relay, "--qr-out", filepath.Join(dir, name))
		if code != 2 || !strings.Contains(stderr, ".html, a .gif, a .png") {
			t.Errorf("%s: exit %d: %s", name, code, stderr)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "w.*")); len(left) > 0 {
		t.Errorf("written: %v", left)
	}
	for _, name := range []string{"ok.html", "ok.GIF", "folder"} {
		if code, stderr := runBare(t, program, "show", relay, "--qr-out", filepath.Join(dir, name)); code != 0 {
			t.Errorf("%s: exit %d: %s", name, code, stderr)
		}
	}
}

// endlessGIF has so many pictures of one pixel on a canvas of 4096 by 4096.
func endlessGIF(pictures int) []byte {
	var b bytes.Buffer
	b.WriteString("GIF89a")
	_ = binary.Write(&b, binary.LittleEndian, [2]uint16{4096, 4096})
	b.Write([]byte{0x80, 0, 0, 0, 0, 0, 255, 255, 255})
	one := []byte{0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0}
	for range pictures {
		b.Write(one)
	}
	b.WriteByte(0x3b)
	return b.Bytes()
}

// Pictures that cost their maker nothing are not looked at for hours.
func TestScanEnds(t *testing.T) {
	program, dir := cheapProgram(t), t.TempDir()
	path := filepath.Join(dir, "endless.gif")
	if err := os.WriteFile(path, endlessGIF(100_000), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stderr := runBare(t, program, "scan", path, "--out", dir)
	if code != 22 || !strings.Contains(stderr, "reading was stopped") || !strings.Contains(stderr, "pictures so far") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// A symbol that says of itself that it holds a PSBT is not believed.
func TestScanWritesNoJunk(t *testing.T) {
	program, dir := cheapProgram(t), t.TempDir()
	for name, payload := range map[string]string{
		"text":          "this is no PSBT, whatever the symbol says",
		"its beginning": "psbt\xff and what follows is nothing",
	} {
		e, err := ur.NewEncoder(ur.PSBT, []byte(payload), qr.Capacity(20))
		if err != nil {
			t.Fatal(err)
		}
		m, err := qr.Encode(e.Next(), 0)
		if err != nil {
			t.Fatal(err)
		}
		var picture bytes.Buffer
		if err := show.PNG(&picture, m, 8); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "junk.png")
		if err := os.WriteFile(path, picture.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(dir, "out")
		code, stderr := runBare(t, program, "scan", path, "--out", out)
		if code != 22 {
			t.Errorf("%s: exit %d: %s", name, code, stderr)
		}
		if left, _ := filepath.Glob(filepath.Join(out, "*")); len(left) > 0 {
			t.Errorf("%s: written: %v", name, left)
		}
	}
}
