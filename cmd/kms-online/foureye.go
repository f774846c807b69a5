package main

import (
	"errors"
	"net/http"
	"strings"

	"coldkms/cmd/internal/cli"
	"coldkms/online/foureye"
	"coldkms/online/tatum"
)

// fourEye makes the client of the approval service, nil where none is named.
func (a *app) fourEye() (*foureye.Client, error) {
	if a.externalURL == "" {
		if !strings.EqualFold(a.externalMethod, http.MethodGet) {
			return nil, cli.Fail(cli.Usage, errors.New("--externalUrlMethod without --externalUrl"), "")
		}
		return nil, nil
	}
	c, err := foureye.New(foureye.Config{URL: a.externalURL, Method: a.externalMethod, Now: a.now, Sleep: tatum.Sleep})
	if err != nil {
		return nil, cli.Fail(cli.Usage, err, "such as: --externalUrl https://approvals.example.com/check --externalUrlMethod POST")
	}
	return c, nil
}
