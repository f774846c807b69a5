package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/cmd/kms-sandbox/sandbox/approver"
	"coldkms/shared/identity"
)

// approverOptions are the flags of the reference approver, which answers
// beside the API, without its key.
type approverOptions struct {
	limit   int64
	valid   time.Duration
	keyFile string
}

func (o *approverOptions) flags(cmd *cobra.Command) {
	cmd.Flags().Int64Var(&o.limit, "approver-limit", 100_000_000, "the reference approver vouches for what pays at most so much to others, in smallest `units`")
	cmd.Flags().DurationVar(&o.valid, "approver-valid", 24*time.Hour, "for how `long` its statements hold")
	cmd.Flags().StringVar(&o.keyFile, "approver-key-file", "", "`file` with the 64 hex digits of its Ed25519 seed (default: a test key that everyone knows)")
}

// maxSeedFile bounds the file of a seed in bytes.
const maxSeedFile = 256

func (o *approverOptions) approver() (approver.Approver, error) {
	a := approver.Approver{Limit: o.limit, Valid: o.valid, Now: time.Now}
	if o.limit < 0 || o.valid < time.Second {
		return a, cli.Fail(cli.Usage, fmt.Errorf("--approver-limit %d, --approver-valid %v: want 0 or more, and a second or more", o.limit, o.valid), "")
	}
	var err error
	if o.keyFile == "" {
		a.Key, err = approver.TestKey()
		return a, err
	}
	f, err := os.Open(o.keyFile)
	if err != nil {
		return a, cli.Fail(cli.Usage, fmt.Errorf("--approver-key-file: %w", err), "")
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSeedFile))
	if err != nil {
		return a, fmt.Errorf("--approver-key-file: %w", err)
	}
	seed, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err == nil {
		a.Key, err = identity.FromSeed(seed)
	}
	if err != nil {
		return a, cli.Fail(cli.Usage, fmt.Errorf("--approver-key-file: %s has not 64 hex digits", o.keyFile), "")
	}
	return a, nil
}

// beside puts the approver next to the API, whose paths are left as they come.
func beside(api http.Handler, a approver.Approver) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/approver" || strings.HasPrefix(r.URL.Path, "/approver/") {
			a.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}

func greetApprover(w io.Writer, url string, a approver.Approver) {
	key := a.Key.Public()
	fmt.Fprintf(w, `
An approver vouches for what pays at most %d; its key for a policy is %x:

  kms-online export --out DIR --externalUrl %s/approver --externalUrlMethod POST
`, a.Limit, key[:], url)
}
