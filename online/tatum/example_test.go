package tatum_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"coldkms/online/tatum"
	"coldkms/shared/chain"
)

// reply answers every call with a body.
type reply string

func (r reply) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Request: req, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(string(r))),
	}, nil
}

// A client asks what waits to be signed by one signature id.
func ExampleClient_Pending() {
	client, err := tatum.New(tatum.Config{
		Key:       "t-0000000000000000-example",
		Transport: reply(`[{"id":"5e68c66581f2ee32bc354087","chain":"BTC"}]`), // leave it out to call Tatum
	})
	if err != nil {
		panic(err)
	}
	ids := []string{"26d3883e-4e17-48b3-a0ee-09a3e484ac83"}
	list, err := client.Pending(context.Background(), chain.BTC, ids, 0)
	if err != nil {
		panic(err)
	}
	for _, element := range list.Elements {
		fmt.Println(string(element))
	}
	// Output: {"id":"5e68c66581f2ee32bc354087","chain":"BTC"}
}
