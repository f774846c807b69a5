package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"coldkms/cmd/testtools/sticks"
	"coldkms/shared/transport/file"
)

// stickAttacks take the stick away in the middle of the work, on real file systems.
func stickAttacks() []attack {
	return []attack{{"12-stick-pulled-in-mid-write", stickPulled}}
}

// stickPlace is a signer with a real stick.
type stickPlace struct {
	place
	*sticks.Stick
}

func stickPulled(t *testing.T) {
	for _, kind := range sticks.Kinds() {
		t.Run(kind.Name, func(t *testing.T) {
			s := stickPlace{Stick: sticks.New(t, kind)}
			s.place = newPlace(t)
			s.isPulled()
		})
	}
}

// isPulled pulls the stick, and breaks its device, at each moment of a review
// and of a result that is written. The same command then goes on, with the
// same transaction.
func (s stickPlace) isPulled() {
	met, salt := 0, 1
	for _, way := range []func(){s.Pull, s.Break} {
		for _, moment := range append(sticks.Writing(), sticks.Reading()) {
			digest, request := s.reviewed(salt, way)
			if s.signPulled(request, digest, moment, way) {
				met++
			}
			salt++
		}
	}
	if met < 6 {
		s.t.Errorf("only %d moments came", met)
	}
}

// stick is where requests and results lie: the folder that the stick is mounted
// at, which is still there, and empty, when it is pulled out.
func (s stickPlace) stick() string { return s.Dir }

// reviewed puts a request onto the stick, loses the stick while it is read,
// and reads it then.
func (s stickPlace) reviewed(salt int, lose func()) (digest, path string) {
	s.t.Helper()
	name := fmt.Sprintf("r-%d.kmsreq", salt)
	data, err := os.ReadFile(s.request(name, salt, []payout{{to: fmt.Sprint("payee ", salt), value: 50_000, fee: 500}}))
	if err == nil {
		_, err = file.On(s.stick()).Put(name, data)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	path = filepath.Join(s.stick(), name)
	s.lost(sticks.Reading(), lose, "review", path)
	var said struct{ Digest string }
	if err := json.Unmarshal([]byte(s.run(0, "review", path)), &said); err != nil {
		s.t.Fatal(err)
	}
	return said.Digest, path
}

// lost runs a command that loses the stick, which is put in again afterwards.
func (s stickPlace) lost(moment sticks.Moment, lose func(), args ...string) sticks.Ran {
	s.t.Helper()
	cmd := s.command(append([]string{"--password-file", s.place.path("pw"), "--json"}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	got := sticks.At(s.t, cmd, s.stick(), moment, lose)
	s.t.Logf("%s, lost when %s: met %v, exit code %d, %s", args[0], moment.Name, got.Met, got.Code, got.Err)
	gone := strings.Contains(got.Err, "pulled out") || strings.Contains(got.Err, "there is no file")
	if got.Code != 0 && (got.Code != 1 || !gone) {
		s.t.Errorf("%s, lost when %s: exit code %d, %s", args[0], moment.Name, got.Code, got.Err)
	}
	s.Plug()
	return got
}

type signedOnStick struct {
	Result string
	Signed []signedReply
}

// signPulled loses the stick while a result is written onto it.
func (s stickPlace) signPulled(request, digest string, moment sticks.Moment, lose func()) (met bool) {
	s.t.Helper()
	got := s.lost(moment, lose, "sign", request, "--out", s.stick(), "--approve", digest)
	if got.Code == 0 {
		s.whole(request, got.Out)
	} else if strings.Contains(got.Err, "write ") && !strings.Contains(got.Err, "the bytes will be the same") {
		s.t.Errorf("it does not say what to do: %s", got.Err)
	}
	again := s.whole(request, s.run(0, "sign", request, "--out", s.stick(), "--approve", digest))
	elsewhere := s.whole(request, s.run(0, "sign", request, "--out", s.place.path("out"), "--approve", digest))
	if again.Signed[0] != elsewhere.Signed[0] {
		s.t.Errorf("%v on the stick, %v elsewhere", again.Signed, elsewhere.Signed)
	}
	all, _ := filepath.Glob(filepath.Join(s.stick(), "*.kmsres"))
	for _, path := range all { // whatever has a name is whole
		if data, err := os.ReadFile(path); err != nil || len(data) < 100 {
			s.t.Errorf("%s: %d bytes, %v", path, len(data), err)
		}
	}
	return got.Met
}

// whole reads the result that the program says is written.
func (s stickPlace) whole(request, said string) signedOnStick {
	s.t.Helper()
	var reply signedOnStick
	if err := json.Unmarshal([]byte(said), &reply); err != nil {
		s.t.Fatal(err)
	}
	if n, codes := s.signedBy(request, reply.Result); n != 1 || len(codes) != 0 {
		s.t.Errorf("%s: %d signed, %v", reply.Result, n, codes)
	}
	return reply
}
