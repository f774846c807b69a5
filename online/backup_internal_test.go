package online

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

// Whoever ends the program need not wait for a large backup, and is not told
// that it is damaged.
func TestVerifyEnds(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	z := gzip.NewWriter(&file)
	_, _ = z.Write([]byte("{}\n"))
	_ = z.Close()
	path := filepath.Join(t.TempDir(), "b.kmsbackup")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := VerifyBackup(ctx, durable.OS{}, path, identity.Public{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
