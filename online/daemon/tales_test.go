package daemon_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/cmd/testtools/tatumtest"
	"coldkms/online/tatum"
)

// tale is one way in which Tatum, or the network before it, behaves.
type tale struct {
	name string
	pay  func(map[string]any) // changes the payment

	first    func(*house) // before anything is fetched
	exported func(*house) // when the request is on the stick
	signed   func(*house) // when the result is on the stick
	later    func(*house) // after some rounds more

	limits  tatum.Limits
	state   string // that it ends in
	code    string
	sent    int    // distinct byte strings that were sent
	trouble string // that some round had
}

const (
	pendings  = "POST /v3/kms/pending/"
	byID      = "GET /v3/kms/"
	marks     = "PUT /v3/kms/"
	withdraws = "PUT /v3/offchain/withdrawal/"
	sends     = "POST /v3/bitcoin/broadcast"
	looks     = "GET /v3/bitcoin/transaction/"
	outputs   = "GET /v3/bitcoin/utxo/"
	nodes     = "POST /v3/blockchain/node/"
)

const forever = 1 << 30

// does has the next calls with a prefix answered by f, so often.
func does(prefix string, times int, f http.HandlerFunc) func(*house) {
	return func(h *house) {
		var mu sync.Mutex
		h.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasPrefix(r.Method+" "+r.URL.Path, prefix) {
				return false
			}
			mu.Lock()
			left := times
			times--
			mu.Unlock()
			if left > 0 {
				f(w, r)
			}
			return left > 0
		})
	}
}

func says(prefix string, times, status int, body string, header ...string) func(*house) {
	return does(prefix, times, func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// lands lets calls do their work, and answers them otherwise.
func lands(prefix string, times int, then http.HandlerFunc) func(*house) {
	return func(h *house) {
		does(prefix, times, func(w http.ResponseWriter, r *http.Request) {
			h.server.Serve(nothing{}, r)
			then(w, r)
		})(h)
	}
}

// nothing is a reply that nobody gets.
type nothing struct{}

func (nothing) Header() http.Header         { return make(http.Header) }
func (nothing) Write(b []byte) (int, error) { return len(b), nil }
func (nothing) WriteHeader(int)             {}

func cutOff(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func well(h *house) { h.server.Fault(nil); h.outer = nil }

// network has calls with a prefix end in something else than an answer.
func network(prefix string, times int, f func(*http.Request) (*http.Response, error)) func(*house) {
	return func(h *house) {
		var mu sync.Mutex
		h.outer = func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			mu.Lock()
			mine := times > 0 && strings.HasPrefix(r.Method+" "+r.URL.Path, prefix)
			if mine {
				times--
			}
			mu.Unlock()
			if !mine {
				return next.RoundTrip(r)
			}
			return f(r)
		}
	}
}

func hangs(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func body(r *http.Request, b io.Reader) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: make(http.Header), Body: io.NopCloser(b), Request: r}, nil
}

// stalls returns some bytes and then none.
type stalls struct {
	r    *http.Request
	once bool
}

func (s *stalls) Read(p []byte) (int, error) {
	if !s.once {
		s.once = true
		return copy(p, `{"txId":"`), nil
	}
	<-s.r.Context().Done()
	return 0, s.r.Context().Err()
}

// endless returns zeros, and says if far too many were asked for.
type endless struct {
	t    testing.TB
	read int64
}

func (e *endless) Read(p []byte) (int, error) {
	if e.read += int64(len(p)); e.read > 1<<30 {
		e.t.Error("an endless body is read without end")
		return 0, io.EOF
	}
	return len(p), nil
}

// afterALook lets so much time pass that what Tatum does not have is asked for again.
func afterALook(*house) { time.Sleep(11 * time.Minute) }

func both(fs ...func(*house)) func(*house) {
	return func(h *house) {
		for _, f := range fs {
			f(h)
		}
	}
}

func noStick(h *house) {
	if err := os.Remove(h.usb); err != nil {
		h.Fatal(err)
	}
}

func stick(h *house) {
	if err := os.Mkdir(h.usb, 0o700); err != nil {
		h.Fatal(err)
	}
}

// unsignedID is the txid that Tatum itself gives a pending transaction.
func unsignedID(pending []byte) string {
	var p struct{ SerializedTransaction string }
	var tx struct{ Hash string }
	if json.Unmarshal(pending, &p) != nil || json.Unmarshal([]byte(p.SerializedTransaction), &tx) != nil {
		panic("no such transaction")
	}
	return tx.Hash
}

func change(field string, value any) func(*house) {
	return func(h *house) { h.server.Change(relaytest.ID(1), field, value) }
}

const strange = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

func tales(t *testing.T) []tale {
	html := "<html><body>Bad Gateway " + tatumtest.Key + "</body></html>"
	refusal := `{"errorCode":"blockchain.broadcast.error","message":"bad-txns-inputs-missingorspent","statusCode":403}`
	withdrawal := func(p map[string]any) { p["withdrawalId"] = "w-1" }
	signer := relaytest.NewSigner(2) // a witness changes no txid
	own := unsignedID(signer.Payment(1, signer.Funding(1), nil))
	list := func(make func(one string) string) func(*house) {
		return func(h *house) {
			one := string(h.signer.Payment(1, h.signer.Funding(1), nil))
			says(pendings, forever, 200, make(one))(h)
		}
	}
	return []tale{
		{name: "all is well", state: "completed", sent: 1},

		// Too much, too busy, down.
		{name: "429 without a time", first: says(pendings, 2, 429, ""), state: "completed", sent: 1},
		{name: "429 with seconds", first: says(pendings, 2, 429, "", "Retry-After", "3"), state: "completed", sent: 1},
		{name: "429 with a date", first: says(pendings, 1, 429, "", "Retry-After", "Sat, 01 Jan 2000 00:00:05 GMT"), state: "completed", sent: 1},
		{name: "429 with nonsense", first: says(pendings, 1, 429, "", "Retry-After", "soon"), state: "completed", sent: 1},
		{name: "429 for ever", first: says(pendings, forever, 429, `{"message":"slow down"}`), state: "", trouble: "HTTP 429"},
		{name: "429 at the broadcast", signed: says(sends, 1, 429, ""), state: "completed", sent: 1},
		{name: "500 once", first: says(pendings, 1, 500, `{"statusCode":500}`), state: "completed", sent: 1},
		{name: "502 with a page", first: says(pendings, 2, 502, html), state: "completed", sent: 1},
		{name: "503 with a time", first: says(pendings, 1, 503, "", "Retry-After", "20"), state: "completed", sent: 1},
		{name: "408", first: says(pendings, 1, 408, ""), state: "completed", sent: 1},
		{name: "down for a while", first: network("", 30, func(*http.Request) (*http.Response, error) { return nil, syscall.ECONNREFUSED }), later: well, state: "completed", sent: 1, trouble: "connection refused"},
		{name: "down while it is signed", signed: network("", 40, func(*http.Request) (*http.Response, error) { return nil, syscall.ECONNRESET }), later: well, state: "completed", sent: 1, trouble: "reset"},

		// Half answers.
		{name: "hangs before the header", first: network(pendings, 2, hangs), state: "completed", sent: 1},
		{name: "hangs for ever", first: network(pendings, forever, hangs), state: "", trouble: "deadline exceeded"},
		{name: "hangs in the body", signed: network(byID, 1, func(r *http.Request) (*http.Response, error) { return body(r, &stalls{r: r}) }), state: "completed", sent: 1},
		{name: "half a body", first: does(pendings, 2, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `[{"id":`)
		}), state: "completed", sent: 1},
		{name: "cut off", first: does(pendings, 2, cutOff), state: "completed", sent: 1},
		{name: "a body without end", signed: network(byID, 1, func(r *http.Request) (*http.Response, error) { return body(r, &endless{t: t}) }), state: "completed", sent: 1},
		{name: "an error without end", first: network(pendings, 1, func(r *http.Request) (*http.Response, error) {
			resp, err := body(r, &endless{t: t})
			resp.StatusCode = 500
			return resp, err
		}), state: "completed", sent: 1},

		// Other answers than there should be.
		{name: "a page for a list", first: says(pendings, forever, 200, html), state: "", trouble: "which is not Tatum's answer"},
		{name: "an object for a list", first: says(pendings, forever, 200, `{"data":[]}`), state: "", trouble: "which is not Tatum's answer"},
		{name: "nothing for a list", first: says(pendings, forever, 204, ``), state: "", trouble: "list is cut"},
		{name: "strange elements", first: list(func(one string) string { return `[null,7,"x",[],{},` + one + `]` }), exported: well, state: "completed", sent: 1},
		{name: "wrong type", pay: func(p map[string]any) { p["hashes"] = []any{relaytest.SignatureID, 7} }, state: "refused", code: "malformed"},
		{name: "not a transaction", pay: func(p map[string]any) { p["serializedTransaction"] = "{}" }, state: "refused", code: "malformed"},
		{name: "a field twice", first: list(func(one string) string {
			return `[` + strings.Replace(one, `{"chain"`, `{"chain":"LTC","chain"`, 1) + `]`
		}), state: "refused", code: "malformed"},
		{name: "a number for a txid", signed: says(byID, 2, 200, `{"txId":7}`), state: "completed", sent: 1},
		{name: "a page for a txid", signed: says(byID, 2, 200, html), state: "completed", sent: 1},

		// Ids that vanish, come twice, come changed.
		{name: "twice in one list", first: list(func(one string) string { return `[` + one + `,` + one + `]` }), exported: well, state: "completed", sent: 1},
		{name: "twice, and other the second time", first: list(func(one string) string {
			return `[` + one + `,` + strings.Replace(one, `"index":null`, `"index":5`, 1) + `]`
		}), state: "fetched", code: "content-changed", trouble: "never signed"},
		{name: "comes back changed", exported: change("index", 9), state: "exported", code: "content-changed"},
		{name: "vanishes before the export", first: noStick, exported: change("id", nil), signed: stick, state: "fetched", code: "unknown-at-tatum"},
		{name: "vanishes after the export and comes back", exported: says(pendings, 1, 200, `[]`), state: "completed", sent: 1},
		{name: "vanishes when it is signed", signed: change("id", "0000000000000000000000ff"), later: afterALook, state: "signed", code: "signed-after-drop"},
		{name: "a list that is short by mistake", first: both(says(pendings, 1, 200, `[]`)), state: "completed", sent: 1},
		{name: "completed by a stranger before the export", first: noStick, exported: change("txId", strange), signed: stick, state: "fetched", code: "completed-with-other-txid"},
		{name: "completed by a stranger when it is signed", signed: change("txId", strange), state: "failed", code: "completed-with-other-txid"},
		{name: "completed by us already", signed: change("txId", strings.ToUpper(own)), state: "completed", sent: 1}, /* the network does not have it: it is sent */

		// Broadcasts.
		{name: "somebody else's txid", signed: lands(sends, 1, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"txId":%q}`, strange) }), state: "completed", sent: 1},
		{name: "no txid", signed: lands(sends, 1, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) }), state: "completed", sent: 1},
		{name: "failed:true", signed: func(h *house) { h.server.Reply("failed") }, state: "completed", sent: 1},
		{name: "failed:true, and marking fails for a while", signed: both(func(h *house) { h.server.Reply("failed") }, says(marks, 8, 500, "")), state: "completed", sent: 1},
		{name: "failed:true, and it is never marked", signed: both(func(h *house) { h.server.Reply("failed") }, says(marks, forever, 403, `{"errorCode":"kms.x","message":"no"}`)), state: "broadcast", code: "not-marked", sent: 1},
		{name: "a page for the mark", signed: both(func(h *house) { h.server.Reply("failed") }, says(marks, 3, 200, html)), state: "completed", sent: 1},
		{name: "a page for the mark, for ever", signed: both(func(h *house) { h.server.Reply("failed") }, says(marks, forever, 200, html)), state: "broadcast", code: "not-marked", sent: 1},
		{name: "completed:false", pay: withdrawal, signed: func(h *house) { h.server.Reply("incomplete") }, state: "completed", sent: 1},
		{name: "completed:false, and marking fails for a while", pay: withdrawal, signed: both(func(h *house) { h.server.Reply("incomplete") }, says(withdraws, 8, 503, "")), state: "completed", sent: 1},
		{name: "not in progress any more", pay: withdrawal, signed: both(func(h *house) { h.server.Reply("incomplete") },
			lands(withdraws, forever, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(403)
				_, _ = io.WriteString(w, `{"errorCode":"withdrawal.unexpected.state"}`)
			})), state: "completed", sent: 1},
		{name: "the reply is lost", signed: lands(sends, 1, cutOff), state: "completed", sent: 1},
		{name: "the call is lost", signed: does(sends, 1, cutOff), state: "completed", sent: 1},
		{name: "it hangs and has landed", signed: func(h *house) {
			network(sends, 1, func(r *http.Request) (*http.Response, error) {
				_, _ = tatumtest.Transport(h.server).RoundTrip(r)
				return hangs(r)
			})(h)
		}, state: "completed", sent: 1},
		{name: "500, and it has landed", signed: lands(sends, 1, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }), state: "completed", sent: 1},
		{name: "500, and it never lands", signed: says(sends, forever, 500, ""), state: "signed", code: "network"},
		{name: "already known, and it is", signed: lands(sends, 1, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(403)
			_, _ = io.WriteString(w, `{"errorCode":"blockchain.broadcast.error","message":"txn-already-in-mempool"}`)
		}), state: "completed", sent: 1},
		{name: "already known, and it is not", signed: says(sends, forever, 403, `{"errorCode":"blockchain.broadcast.error","message":"txn-already-in-mempool"}`), state: "signed", code: "not-seen"},
		{name: "the node says no for a while", signed: says(sends, 2, 403, refusal), state: "completed", sent: 1},
		{name: "an input is spent, says Tatum, and by what it cannot tell", signed: func(h *house) {
			h.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
				switch path := r.Method + " " + r.URL.Path; {
				case strings.HasPrefix(path, sends):
					w.WriteHeader(403)
					_, _ = io.WriteString(w, refusal)
				case strings.HasPrefix(path, outputs):
					w.WriteHeader(403)
					_, _ = io.WriteString(w, `{"errorCode":"tx.hash.index.spent"}`)
				default:
					return false
				}
				return true
			})
		}, state: "signed", code: "node-refused"},
		{name: "the look-up fails for a while", signed: says(looks, 12, 500, ""), state: "completed", sent: 1},

		// Who is asked, and who asks.
		{name: "a redirect", first: says(pendings, forever, 307, "", "Location", "https://evil.example/v3/kms/pending/BTC"), state: "", trouble: "redirects are not followed"},
		{name: "a redirect at the broadcast", signed: says(sends, 1, 308, "", "Location", "https://evil.example/"), state: "completed", sent: 1},
		{name: "another certificate", first: network("", forever, func(*http.Request) (*http.Response, error) {
			return nil, &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
		}), state: "", trouble: "unknown authority"},
		{name: "the key is not accepted", first: says(pendings, forever, 401, `{"errorCode":"subscription.invalid","message":"no subscription for `+tatumtest.Key+`"}`), state: "", trouble: "[key]"},
		{name: "out of credits", first: says(pendings, forever, 403, `{"message":"You have run out of credits"}`), state: "", trouble: "out of credits"},
		{name: "out of credits at the broadcast", signed: says(sends, 1, 402, `{"message":"no credits"}`), state: "completed", sent: 1, trouble: "HTTP 402"},
		{name: "403 about one item", signed: says(byID, 1, 403, `{"errorCode":"kms.locked"}`), state: "completed", sent: 1},
		{name: "404 of some proxy", signed: says(byID, 1, 404, html), state: "completed", sent: 1},

		// Proofs.
		{name: "another transaction than asked for", first: says(looks, forever, 200, `{"hex":"0100000001000000000000000000000000000000000000000000000000000000000000000000000000000000000001000000000000000000000000"}`), state: "fetched", code: "unproven-amount"},
		{name: "no previous transaction", first: func(h *house) {
			h.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
				path := r.Method + " " + r.URL.Path
				return (strings.HasPrefix(path, looks) || strings.HasPrefix(path, nodes)) && gone(w)
			})
		}, state: "fetched", code: "unproven-amount"},
		{name: "without hex", first: func(h *house) { h.server.WithoutHex() }, state: "completed", sent: 1},

		// After the end.
		{name: "evicted, and back", later: func(h *house) { h.server.Forget(own) }, state: "completed", sent: 1},

		// Limits of our own.
		{name: "a small budget", limits: tatum.Limits{Budgets: []tatum.Budget{{Credits: 20, Per: time.Hour}}}, state: "completed", sent: 1, trouble: "budget of credits"},
		{name: "one call a second", limits: tatum.Limits{PerSecond: 1}, state: "completed", sent: 1},
	}
}

func gone(w http.ResponseWriter) bool {
	w.WriteHeader(404)
	_, _ = io.WriteString(w, `{"errorCode":"tx.not.found"}`)
	return true
}

// Whatever Tatum does, each payment ends where it should, as one byte string
// or none, and the API key goes nowhere.
func TestTatumAsItIs(t *testing.T) {
	all := tales(t)
	if len(all) < 40 {
		t.Fatalf("only %d", len(all))
	}
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { c.tell(t) })
		})
	}
}

func (c tale) tell(t *testing.T) {
	h := inBubble(t, c.limits)
	var troubles []string
	rounds := func(n int) {
		for range n {
			r, err := h.d.Once(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range r.Troubles {
				troubles = append(troubles, text)
			}
			time.Sleep(h.d.Period)
		}
	}
	id := h.pay(1, c.pay)
	run := func(f func(*house)) {
		if f != nil {
			f(h)
		}
	}
	run(c.first)
	rounds(1)
	run(c.exported)
	rounds(3)
	if c.trouble != "never signed" {
		h.sign(nil)
	}
	run(c.signed)
	rounds(4)
	run(c.later)
	rounds(16)
	if c.trouble != "never signed" {
		h.sign(nil)
	}
	rounds(14)
	if c.state != "" {
		s := h.status(id)
		if string(s.State) != c.state || (c.code != "" && string(s.Code) != c.code) {
			t.Errorf("ends as %s (%s: %s), want %s %s\n%s", s.State, s.Code, s.Reason, c.state, c.code, h.logs.String())
		}
	} else if len(h.on("*.kmsreq")) != 0 {
		t.Errorf("something was exported: %v", h.on("*"))
	}
	distinct := make(map[string]bool)
	for _, tx := range h.server.Sent() {
		distinct[tx] = true
	}
	if len(distinct) != c.sent {
		t.Errorf("%d byte strings were sent, want %d\n%s", len(distinct), c.sent, h.logs.String())
	}
	all := strings.Join(troubles, "\n")
	if c.trouble != "" && c.trouble != "never signed" && !strings.Contains(all, c.trouble) {
		t.Errorf("no trouble says %q:\n%s", c.trouble, all)
	}
	if strings.Contains(all, tatumtest.Key) {
		t.Errorf("the API key is in %s", all)
	}
}
