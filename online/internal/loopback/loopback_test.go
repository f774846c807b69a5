package loopback

import "testing"

func TestIs(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "127.8.8.8": true, "::1": true, "::ffff:127.0.0.1": true,
		"": false, "0.0.0.0": false, "::": false, "10.0.0.1": false, "localhost.example.com": false, "127.1": false, "LOCALHOST": false,
	} {
		if Is(host) != want {
			t.Errorf("Is(%q) = %t", host, !want)
		}
	}
}
