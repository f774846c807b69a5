package harden_test

import (
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"

	"coldkms/offline/harden"
)

func TestNetworkUp(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s + "\n")} }
	sys := fstest.MapFS{
		"lo/operstate":    file("unknown"),
		"lo/carrier":      file("1"),
		"eth0/operstate":  file("up"),
		"eth1/operstate":  file("down"),
		"wlan0/operstate": file("dormant"),
		"tun0/operstate":  file("unknown"),
		"tun0/carrier":    file("1"),
		"tun1/operstate":  file("unknown"),
		"odd0/operstate":  file("testing"),
		"bare0/address":   file("00:00:00:00:00:00"),
	}
	up, known := harden.NetworkUp(sys)
	if want := []string{"bare0", "eth0", "odd0", "tun0"}; !known || !slices.Equal(up, want) {
		t.Errorf("up %v, %v; want %v", up, known, want)
	}
	if up, known := harden.NetworkUp(fstest.MapFS{}); !known || len(up) != 0 {
		t.Errorf("none: %v, %v", up, known)
	}
	if _, known := harden.NetworkUp(noFiles{}); known {
		t.Error("known where there is nothing to read")
	}
}

// noFiles is a system without the folder.
type noFiles struct{}

// Open implements fs.FS.
func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
