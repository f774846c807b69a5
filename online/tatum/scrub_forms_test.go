package tatum_test

import (
	"net/http"
	"strings"
	"testing"

	"coldkms/cmd/testtools/tatumtest"
	"coldkms/online/tatum"
)

// The key is taken out of texts in whatever writing it comes back.
func TestScrubForms(t *testing.T) {
	key := tatumtest.Key
	for _, form := range []string{key, strings.ToUpper(key), key[:5] + " " + key[5:], key[:5] + "\n\t" + strings.ToUpper(key[5:]), strings.Join(strings.Split(key, ""), " ")} {
		body := `{"errorCode":"x","message":"no key ` + strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(form) + ` here"}`
		cl, _ := client(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(body))
		}))
		_, err := cl.TxIDOf(t.Context(), "x")
		if err == nil || !strings.Contains(err.Error(), "no key [key] here") {
			t.Errorf("%q: %v", form, err)
		}
	}
}

// What Tatum does not have is an answer, not a refusal.
func TestAbsent(t *testing.T) {
	err := &tatum.Error{Status: 404, Code: "tx.not.found"}
	if got := tatum.Outcome(err); got != "absent" {
		t.Error(got)
	}
}
