//go:build unix

package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coldkms/cmd/testtools/expect"
)

// What is typed at a secret prompt never shows, on a terminal where the
// answers come after the questions, as a person's do.
func TestSecretsAreNotEchoed(t *testing.T) {
	dir := t.TempDir()
	binary := realProgram(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.Command(binary, "--path", filepath.Join(dir, "w.kms"), "--testnet", "storemanagedprivatekey", "BTC")
	const key = "cNnCNhgfdPymqPHPMs1WkXrKYSeqDB4QAVGaM5ra1sphbtNGBvaD"
	got, err := expect.Run(ctx, cmd,
		expect.Answer{Prompt: "private key to store:", Reply: key},
		expect.Answer{Prompt: "new password", Reply: "battery staple"},
		expect.Answer{Prompt: "Repeat", Reply: "battery staple"},
	)
	if err != nil {
		t.Fatal(err)
	}
	if got.Code != 0 || !strings.Contains(got.Stdout, "signatureId") {
		t.Fatalf("exit %d, stdout %q, stderr %q", got.Code, got.Stdout, got.Stderr)
	}
	for _, secret := range []string{key, "battery"} {
		if strings.Contains(got.Screen+got.Stdout+got.Stderr, secret) {
			t.Errorf("%.4s… was shown: %q", secret, got.Screen)
		}
	}
}
