package ledger

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"coldkms/shared/durable"
)

func TestOthersMayNotWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l")
	files := NewFiles(durable.OS{}, path)
	if _, err := Create(files, me(), clock); err != nil {
		t.Fatal(err)
	}
	_ = files.Close()
	for _, name := range []string{path, path + MarkSuffix} {
		if err := os.Chmod(name, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(NewFiles(durable.OS{}, path), me(), clock); !errors.Is(err, durable.ErrInsecure) {
			t.Errorf("%s of mode 0666: %v", name, err)
		}
		copied := NewCopy(durable.OS{}, path)
		if _, err := Open(copied, me(), clock); err != nil {
			t.Errorf("a copy of mode 0666: %v", err)
		}
		_ = copied.Close()
		if err := os.Chmod(name, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
