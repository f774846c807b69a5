package transport_test

import (
	"fmt"
	"strings"

	"coldkms/shared/transport"
)

// Every third part is lost, and the payload arrives all the same.
func Example() {
	payload := strings.Repeat("a request of some size ", 40)
	encoder, err := transport.NewEncoder(transport.Fast, transport.Bytes, []byte(payload), 200)
	if err != nil {
		panic(err)
	}
	decoder := transport.NewDecoder()
	for n := 0; ; n++ {
		part := encoder.Next() // shown as a QR symbol
		if n%3 == 0 {
			continue // not read by the camera
		}
		if err := decoder.Add(part); err != nil {
			panic(err)
		}
		if got, done := decoder.Result(); done {
			fmt.Println(string(got.Bytes) == payload)
			return
		}
	}
	// Output: true
}
