package plainread

import (
	"bytes"
	"encoding/hex"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// document reads the examples of docs/FORMAT.md by their names.
func document(t *testing.T) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile("../../../docs/FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := map[string][]byte{}
	for _, m := range regexp.MustCompile("(?s)\n([a-z ]+):\n\n```(hex|text)\n(.*?)\n```").FindAllStringSubmatch(string(text), -1) {
		examples[m[1]] = []byte(m[3] + "\n")
		if m[2] == "hex" {
			if examples[m[1]], err = hex.DecodeString(strings.Join(strings.Fields(m[3]), "")); err != nil {
				t.Fatalf("%s: %v", m[1], err)
			}
		}
	}
	return examples
}

// Every file that the document shows is read by what the document says, and
// they fit together.
func TestDocumentReadsItself(t *testing.T) {
	ex := document(t)
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	relay, err := Identity(ex["public identity file"])
	must("identity", err)
	if !bytes.Equal(relay, ex["relay public key"]) {
		t.Error("the identity file has another key")
	}
	w, err := OpenWallet(ex["wallet file"], []byte("correct horse"))
	must("wallet", err)
	signer, watched, err := OpenWatch(ex["watch file"])
	must("watch file", err)
	asked, err := OpenRequest(ex["request file"])
	must("request", err)
	answer, err := OpenResult(ex["result file"])
	must("result", err)
	approval, err := OpenApproval(ex["approval file"])
	must("approval", err)
	lines, err := Ledger(ex["ledger"], ex["mark of the ledger"], w.Seed)
	must("ledger", err)
	copied, err := ReadMark(ex["mark of a backup"], w.Seed)
	must("mark of a backup", err)
	if !copied.Copy || copied.N != uint64(len(lines)+1) { // backup adds a line
		t.Errorf("the mark of a backup has %+v", copied)
	}

	if len(w.Relays) != 1 || !bytes.Equal(w.Relays[0], relay) || len(w.Entries) != 2 ||
		!bytes.Equal(w.Entries[0].Key, bytes.Repeat([]byte{7}, 32)) || !w.Entries[0].Compressed {
		t.Errorf("the wallet has %+v", w)
	}
	if seed, err := w.OperatorSeed("alice", []byte("white rabbit")); err != nil || len(seed) != 32 {
		t.Errorf("the operator's seed: %v", err)
	}
	if len(watched) != 2 || !bytes.Equal(signer.Author, answer.Author) ||
		!bytes.Equal(watched[1].Public, w.Entries[1].Public) {
		t.Errorf("the watch file has %+v", watched)
	}
	if !bytes.Equal(asked.Author, relay) || !bytes.Equal(asked.Signer, signer.Author) || len(asked.Items) != 2 ||
		asked.Items[1].Chain != "BCH" || asked.Items[0].Tx.Values[0] != 150_000 {
		t.Errorf("the request has %+v", asked)
	}
	if hex.EncodeToString(answer.Request) != asked.Digest || answer.Length != int64(len(lines)) ||
		len(answer.Outcomes) != 2 ||
		len(answer.Outcomes[0].Signatures[0]) != 65 || len(answer.Outcomes[1].Signatures[0]) != 97 ||
		!bytes.Equal(answer.Outcomes[1].Signatures[0][64:], w.Entries[1].Public) {
		t.Errorf("the result has %+v", answer)
	}
	first := lines[0]
	if first["signer"] != Fingerprint(answer.Author) || string(w.Ledger) != string(ex["ledger"][:64]) {
		t.Errorf("the ledger begins %v, the wallet is bound to %s", first, w.Ledger)
	}
	var judged, round string
	var contents []string
	for _, l := range lines {
		switch l["kind"] {
		case "reviewed":
			judged, round = l["judged"].(string), l["round"].(string)
		case "signed":
			contents = append(contents, l["content"].(string))
		}
	}
	if !slices.Equal(contents, []string{asked.Content(0), asked.Content(1)}) {
		t.Errorf("the ledger signed %v", contents)
	}
	verdicts := []Verdict{
		{ID: asked.Items[0].ID, Content: contents[0], Change: []int64{0, 49_000}, Codes: []string{"new-destination"}},
		{ID: asked.Items[1].ID, Content: contents[1], Change: []int64{0, 49_000}, Codes: []string{"new-destination"}},
	}
	if made := Judgement(verdicts); made != judged || hex.EncodeToString(approval.Judgement) != judged ||
		hex.EncodeToString(approval.Round) != round || hex.EncodeToString(approval.Batch) != asked.Digest {
		t.Errorf("judgement %s, round %s; the approval has %+v; computed %s", judged, round, approval, made)
	}
}

// The worked example of a request's body, with an approver's statement.
func TestDocumentBodies(t *testing.T) {
	ex := document(t)
	for _, name := range []string{"request body", "request body with the statement"} {
		v, err := cbor(ex[name])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		list, err := record(v, "bibaa")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		it, err := item(list[3].([]any)[0], 1)
		if err != nil || it.ID != "61fe7c68cf2fbc595cbb89dd" || it.Tx.Values[0] != 1000 ||
			it.Keys[0] != "b8eb99cd-ba04-4031-a65f-11d6420ebdd1 -1" {
			t.Errorf("%s: %+v, %v", name, it, err)
		}
	}
}

// This package shares no code with what it checks.
func TestImportsNothingOfOurs(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 4 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, path := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range parsed.Imports {
			if strings.HasPrefix(imp.Path.Value, `"coldkms`) {
				t.Errorf("%s imports %s", path, imp.Path.Value)
			}
		}
	}
}
