package sandbox

import (
	"crypto/subtle"
	"net/http"
	"strings"
)

// MaxBody bounds a request's body in bytes: a transaction of 4 MB in hex, or
// the signature ids of 25,000 keys, with room.
const MaxBody = 9 << 20

// Version is what the sandbox answers to GET /v3/tatum/version.
const Version = "sandbox"

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]handler{
		"GET /v3/tatum/version":    s.version,
		"POST /v3/tatum/kms/batch": s.reportFailures,

		"POST /v3/kms/pending/{chain}": s.pendingByBody,
		"GET /v3/kms/pending/{chain}":  s.pendingByQuery,
		"GET /v3/kms/{id}":             s.pendingByID,
		"PUT /v3/kms/{id}/{txId}":      s.complete,
		"DELETE /v3/kms/{id}":          s.remove,

		"POST /v3/offchain/withdrawal":              s.createWithdrawal,
		"GET /v3/offchain/withdrawal":               s.listWithdrawals,
		"POST /v3/offchain/withdrawal/broadcast":    s.broadcastWithdrawal,
		"PUT /v3/offchain/withdrawal/{id}/{txId}":   s.completeWithdrawal,
		"DELETE /v3/offchain/withdrawal/{id}":       s.cancelWithdrawal,
		"POST /v3/blockchain/node/{chain}":          s.nodeCall,
		"POST /v3/blockchain/node/{chain}/{key...}": s.nodeCall,
		"GET /v3/blockchain/fee/{chain}":            s.fee,
		"GET /sandbox/status":                       s.status,
		"GET /sandbox/failures":                     s.failures,
		"POST /sandbox/mine":                        s.mine,
		"POST /sandbox/faucet":                      s.payFromFaucet,
	} {
		mux.Handle(pattern, h)
	}
	for _, b := range s.chains {
		base := "/v3/" + b.path
		for pattern, h := range map[string]func(*backend, *http.Request) (reply, error){
			"POST " + base + "/transaction":                  s.createTransaction,
			"POST " + base + "/broadcast":                    s.broadcast,
			"POST /v3/offchain/" + b.path + "/transfer":      s.createTransfer,
			"GET " + base + "/transaction/{hash}":            s.transaction,
			"GET " + base + "/transaction/address/{address}": s.transactions,
			"GET " + base + "/info":                          s.info,
		} {
			mux.Handle(pattern, on(b, h))
		}
		if b.utxos {
			mux.Handle("GET "+base+"/utxo/{hash}/{index}", on(b, s.utxo))
		}
	}
	return s.authenticated(s.misbehaving(jsonOnly(mux)))
}

func on(b *backend, h func(*backend, *http.Request) (reply, error)) handler {
	return func(r *http.Request) (reply, error) { return h(b, r) }
}

func (s *Server) misbehaving(next http.Handler) http.Handler {
	if s.config.Faults.Wrap == nil {
		return next
	}
	return s.config.Faults.Wrap(next)
}

// authenticated asks for the API key, in the header or, for node calls, in
// the path.
func (s *Server) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.isKey(r.Header.Get("X-Api-Key")) && !s.isKey(keyInPath(r.URL.Path)) {
			writeProblem(w, &problem{Status: http.StatusUnauthorized, Code: "subscription.invalid",
				Message: "Unable to find a valid subscription for the x-api-key of this request."})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
		next.ServeHTTP(w, r)
	})
}

func (s *Server) isKey(key string) bool {
	return subtle.ConstantTimeCompare([]byte(key), []byte(s.config.APIKey)) == 1
}

func keyInPath(path string) string {
	rest, found := strings.CutPrefix(path, "/v3/blockchain/node/")
	if !found {
		return ""
	}
	_, rest, _ = strings.Cut(rest, "/")
	key, _, _ := strings.Cut(rest, "/")
	return key
}

// jsonOnly answers what the mux has no handler for in JSON too.
func jsonOnly(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, _ := mux.Handler(r)
		if _, ours := h.(handler); ours { // and no redirect to a cleaner path
			mux.ServeHTTP(w, r)
			return
		}
		blank := &headerOnly{header: make(http.Header), status: http.StatusOK}
		h.ServeHTTP(blank, r)
		if allow := blank.header.Get("Allow"); blank.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", allow)
			writeProblem(w, &problem{Status: blank.status, Code: "method.not.allowed", Message: "Cannot " + r.Method + " here; allowed: " + allow})
			return
		}
		writeProblem(w, &problem{Status: http.StatusNotFound, Code: "not.found", Message: "The sandbox has no such endpoint; docs/SANDBOX.md lists them."})
	})
}

// headerOnly takes a reply and forgets its body.
type headerOnly struct {
	header http.Header
	status int
}

func (h *headerOnly) Header() http.Header         { return h.header }
func (h *headerOnly) Write(b []byte) (int, error) { return len(b), nil }
func (h *headerOnly) WriteHeader(status int)      { h.status = status }
