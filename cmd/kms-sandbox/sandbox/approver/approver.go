// Package approver is a reference approval service: it reads the item that a
// relay posts, judges it by one rule, and signs what docs/FORMAT.md says an
// approver signs. A company's own has other rules and the same few lines.
package approver

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"coldkms/shared/attestation"
	"coldkms/shared/identity"
)

// MaxBody bounds a question in bytes: a transaction of 4 MB in hex, with room.
const MaxBody = 32 << 20

// Approver vouches for whatever pays at most Limit to others than it spends
// from, until Valid from now.
type Approver struct {
	Key   identity.Private
	Limit int64 // smallest units
	Valid time.Duration
	Now   func() time.Time
}

// TestKey is a key that everyone knows: for trying things out.
func TestKey() (identity.Private, error) {
	seed := sha256.Sum256([]byte("coldkms sandbox approver"))
	return identity.FromSeed(seed[:])
}

// ServeHTTP answers GET …/approver with key and limit, and POST …/approver/ID
// with a statement, or 403 with the reason.
func (a Approver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /approver", a.about)
	mux.HandleFunc("POST /approver/{id}", a.vouch)
	mux.HandleFunc("GET /approver/{id}", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusMethodNotAllowed, "an id alone says nothing of what the transaction does: POST the item")
	})
	mux.ServeHTTP(w, r)
}

func (a Approver) about(w http.ResponseWriter, _ *http.Request) {
	key := a.Key.Public()
	reply(w, http.StatusOK, map[string]any{"key": hex.EncodeToString(key[:]), "limit": a.Limit})
}

func (a Approver) vouch(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	var q attestation.Question
	if err == nil {
		err = json.Unmarshal(b, &q)
	}
	if err != nil || q.ID != r.PathValue("id") {
		refuse(w, http.StatusBadRequest, "the body is not the item of that id")
		return
	}
	content, err := q.Content()
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	if paid, ok := paid(q); !ok || paid > a.Limit {
		refuse(w, http.StatusForbidden, fmt.Sprintf("pays more than %d", a.Limit))
		return
	}
	reply(w, http.StatusOK, attestation.Answer{Statements: []attestation.Statement{content.Sign(a.Key, a.Now().Add(a.Valid).Unix())}})
}

// paid sums what goes elsewhere than to an address that is spent from. ok is
// false for amounts that no transaction has.
func paid(q attestation.Question) (sum int64, ok bool) {
	own := make(map[string]bool)
	for _, in := range q.Inputs {
		own[in.Address] = in.Address != ""
	}
	for _, out := range q.Outputs {
		value, fits := out.Value.Int64()
		if !fits || sum+value < sum {
			return 0, false
		}
		if !own[out.Address] {
			sum += value
		}
	}
	return sum, true
}

func refuse(w http.ResponseWriter, status int, why string) {
	reply(w, status, map[string]string{"message": why})
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
