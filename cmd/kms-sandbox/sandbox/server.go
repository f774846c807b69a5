package sandbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"

	"coldkms/shared/chain"
)

// DefaultAPIKey is the key that a sandbox takes unless told otherwise. It is
// public: the sandbox listens on loopback and its coins are worth nothing.
const DefaultAPIKey = "sandbox-testnet-key"

// Config is what a Server is made of.
type Config struct {
	Nodes  map[chain.ID]Node
	Store  Store
	APIKey string            // DefaultAPIKey if empty
	Miner  *btcec.PrivateKey // owns the coinbases: the faucet's throw-away key
	Rand   io.Reader         // of ids; crypto/rand if nil
	Now    func() time.Time  // time.Now if nil
	Faults Faults
}

// Faults make a Server misbehave as the real service sometimes does.
type Faults struct {
	// Wrap stands between the network and the API, after authentication. It
	// may answer by itself (429, 500), delay, or run next and lose its reply.
	Wrap func(next http.Handler) http.Handler
	// Unmarked says for a pending id that the broadcast lands but marking it
	// complete fails: "failed": true, and "completed": false for withdrawals.
	Unmarked func(pendingID string) bool
}

// Server is the stand-in for Tatum's API.
type Server struct {
	config  Config
	chains  map[chain.ID]*backend
	handler http.Handler
	ids     sync.Mutex // Config.Rand need not be safe for concurrent use
}

// backend is one coin with its node.
type backend struct {
	coin
	node   Node
	faucet *faucet // nil where the node does not mine, or is an issuer
	issuer Issuer
	mining sync.Mutex
}

// New makes a Server. It brings each node up to what the store remembers, so
// that nothing acknowledged before a crash is missing after it.
func New(ctx context.Context, config Config) (*Server, error) {
	config = config.withDefaults()
	if config.Store == nil || len(config.Nodes) == 0 {
		return nil, errors.New("sandbox: a server needs a store and a node")
	}
	s := &Server{config: config, chains: make(map[chain.ID]*backend)}
	for id, node := range config.Nodes {
		b, err := s.open(ctx, id, node)
		if err != nil {
			return nil, err
		}
		s.chains[id] = b
	}
	s.handler = s.routes()
	return s, nil
}

func (c Config) withDefaults() Config {
	if c.APIKey == "" {
		c.APIKey = DefaultAPIKey
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// newID makes an id like MongoDB's, as Tatum's are: 4 bytes of time, 8 of
// randomness, 24 hex digits.
func (s *Server) newID() (string, error) {
	s.ids.Lock()
	defer s.ids.Unlock()
	var random [8]byte
	if _, err := io.ReadFull(s.config.Rand, random[:]); err != nil {
		return "", fmt.Errorf("sandbox: make an id: %w", err)
	}
	return fmt.Sprintf("%08x%x", uint32(s.config.Now().Unix()), random), nil
}

// backend finds the coin of a request.
func (s *Server) backend(name, property string) (*backend, error) {
	for id, b := range s.chains {
		if string(id) == strings.ToUpper(name) || b.path == strings.ToLower(name) || b.path+"-testnet" == strings.ToLower(name) {
			return b, nil
		}
	}
	return nil, invalid(property, "must be a chain of this sandbox: %.20q is none", name)
}
