package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"coldkms/cmd/testtools/plainread"
)

// fileAttacks put the wrong file in the place of another, and read what the
// program writes by the document alone.
func fileAttacks() []attack {
	return []attack{
		{"10-compare-one-file-twice", compareWithItself},
		{"11-wallet-on-the-stick", walletOnTheStick},
		{"11-files-read-by-the-document-alone", readByTheDocument},
	}
}

// fails runs the program without a terminal and returns what it complains.
func (p place) fails(code int, args ...string) string {
	p.t.Helper()
	cmd := p.command(append([]string{"--password-file", p.path("pw")}, args...)...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if got := runToEnd(p.t, cmd); got != code || stdout.Len() > 0 {
		p.t.Errorf("%v: exit %d, want %d: %q, %q", args, got, code, stdout.String(), stderr.String())
	}
	return stderr.String()
}

// reviewAndSign signs a request and returns the path of the result; code is
// 3 where an item is refused.
func (p place) reviewAndSign(code int, request string) string {
	p.t.Helper()
	var reviewed struct{ Digest string }
	if err := json.Unmarshal([]byte(p.run(code, "review", request)), &reviewed); err != nil {
		p.t.Fatal(err)
	}
	var signed struct{ Result string }
	if err := json.Unmarshal([]byte(p.run(code, "sign", request, "--out", p.path("out"), "--approve", reviewed.Digest)), &signed); err != nil {
		p.t.Fatal(err)
	}
	return signed.Result
}

func compareWithItself(t *testing.T) {
	p := newPlace(t)
	result := p.reviewAndSign(0, p.onePayment())
	again := p.path("copy.kmsres")
	if out, err := exec.Command("cp", result, again).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, second := range []string{result, again} {
		if said := p.fails(1, "compare", result, second); !strings.Contains(said, "one and the same result") {
			t.Errorf("%s", said)
		}
	}
}

func walletOnTheStick(t *testing.T) {
	p := newPlace(t)
	for _, args := range [][]string{
		{"review", p.path("w.kms")}, {"sign", p.path("w.kms"), "--out", p.dir, "--plain"},
		{"show", p.path("w.kms"), "--qr-out", p.path("w.html")}, {"ledger", "accept", p.path("w.kms")},
		{"compare", p.path("w.kms"), p.path("w.kms")},
	} {
		if said := p.fails(22, args...); !strings.Contains(said, "this is a wallet: keep it off the stick") {
			t.Errorf("%v: %s", args, said)
		}
	}
	if _, err := os.Stat(p.path("w.html")); err == nil {
		t.Error("a wallet was written as symbols")
	}
}

// readByTheDocument has every file written by the program, and reads it with
// a decoder that was written from docs/FORMAT.md and shares no code with it.
func readByTheDocument(t *testing.T) {
	p := newPlace(t)
	op := passwordFile(t, p.dir, "op", "white rabbit")
	p.run(0, "operator", "add", "alice", "--operator-password-file", op)
	p.run(0, "watch", "--out", p.path("s.kmswatch"))
	request := p.request("two.kmsreq", 1, []payout{{to: "a", value: 20_000, fee: 200}, {to: "b", value: 20_001, fee: 200, foreign: true}})
	var reviewed struct {
		Digest string
		Items  []struct {
			ID, Verdict string
			Codes       []string
			Outputs     []struct{ Own *struct{ Change int64 } }
		}
	}
	if err := json.Unmarshal([]byte(p.run(3, "review", request)), &reviewed); err != nil {
		t.Fatal(err)
	}
	p.run(0, "approve", request, "--operator", "alice", "--operator-password-file", op, "--digest", reviewed.Digest, "--out", p.dir)
	result := p.reviewAndSign(3, request)
	read := func(pattern string) []byte {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) != 1 {
			t.Fatalf("%s: %v", pattern, paths)
		}
		b, err := os.ReadFile(paths[0])
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	relay, err := plainread.Identity(read(p.path("relay.kmsid")))
	must("identity", err)
	w, err := plainread.OpenWallet(read(p.path("w.kms")), []byte(deskPassword))
	must("wallet", err)
	if len(w.Relays) != 1 || !bytes.Equal(w.Relays[0], relay) || len(w.Entries) != 1 || w.Entries[0].ID != deskKey || !bytes.Equal(w.Entries[0].Key, bytes.Repeat([]byte{7}, 32)) {
		t.Errorf("the wallet has %+v", w)
	}
	if _, err := w.OperatorSeed("alice", []byte("white rabbit")); err != nil {
		t.Errorf("operator's key: %v", err)
	}
	signer, watched, err := plainread.OpenWatch(read(p.path("s.kmswatch")))
	must("watch file", err)
	if len(watched) != 1 || watched[0].ID != deskKey || !bytes.Equal(signer.Author, p.signer[:]) {
		t.Errorf("watched %+v", watched)
	}
	asked, err := plainread.OpenRequest(read(request))
	must("request", err)
	answer, err := plainread.OpenResult(read(result))
	must("result", err)
	if asked.Digest != reviewed.Digest || hex.EncodeToString(answer.Request) != reviewed.Digest || len(answer.Outcomes) != 2 || len(answer.Outcomes[0].Signatures) != 1 {
		t.Errorf("asked %s, answered %+v", asked.Digest, answer)
	}
	lines, err := plainread.Ledger(read(p.path("w.kms.ledger")), read(p.path("w.kms.ledger.mark")), w.Seed)
	must("ledger", err)

	var verdicts []plainread.Verdict
	for i, it := range reviewed.Items {
		v := plainread.Verdict{ID: it.ID, Content: asked.Content(i), Refused: it.Verdict == "refused", Codes: it.Codes}
		for _, out := range it.Outputs {
			change := int64(0)
			if out.Own != nil {
				change = out.Own.Change
			}
			v.Change = append(v.Change, change)
		}
		if slices.Contains(v.Codes, "unknown-signature-id") {
			v.Content = strings.Repeat("0", 64) // it was not decoded
		}
		verdicts = append(verdicts, v)
	}
	judged, content := "", ""
	for _, line := range lines {
		if line["kind"] == "reviewed" && judged == "" {
			judged = line["judged"].(string)
		}
		if line["kind"] == "signed" {
			content = line["content"].(string)
		}
	}
	if judged != plainread.Judgement(verdicts) || content != verdicts[0].Content {
		t.Errorf("the ledger has judgement %s and content %s, the document makes %s of %+v", judged, content, plainread.Judgement(verdicts), verdicts)
	}
	approval, err := plainread.OpenApproval(read(p.path("*.kmsapproval")))
	must("approval", err)
	if hex.EncodeToString(approval.Judgement) != judged || hex.EncodeToString(approval.Batch) != reviewed.Digest {
		t.Errorf("the approval names %x", approval.Judgement)
	}
}
