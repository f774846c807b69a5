//go:build unix

package loop

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// cutFaults are about replies that were cut, lag behind, or do not have what was
// looked for: neither is an answer.
func cutFaults() []fault {
	return []fault{
		{"150a-a-yes-that-was-cut-is-none", cutYes},
	}
}

// rawService answers each request with the bytes that reply holds, and hangs up.
func rawService(t *testing.T, reply *atomic.Value) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					_, _ = io.Copy(io.Discard, r.Body)
					_, _ = io.WriteString(c, reply.Load().(string))
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// The approval service dies behind the header of its reply: that is no yes, and
// lifts no no.
func cutYes(t *testing.T) {
	const header = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
	var reply atomic.Value
	h, url := newTeller(t), rawService(t, &reply)
	out := filepath.Join(h.dir, "usb")
	h.pay(nil, 1)
	h.run(0, "fetch")
	for _, cut := range []string{header + "\r\n", "HTTP/1.0 200 OK\r\n\r\n", header + "\r\nOK"} {
		reply.Store(cut)
		h.run(3, "export", "--out", out, "--external-url", url)
		h.wants(1, "prepared", "four-eye-no-answer")
	}
	reply.Store(header + "Content-Length: 0\r\n\r\n")
	h.run(0, "export", "--out", out, "--external-url", url)
	h.sign(out)
	h.run(0, "import", out)
	reply.Store(header + "Content-Length: 18\r\n\r\n" + `{"approved":false}`)
	h.run(3, "broadcast")
	h.wants(1, "signed", "four-eye-refused")
	reply.Store(header + "\r\n")
	h.run(3, "broadcast")
	if s := h.item(1); s.Withheld != "four-eye-refused" {
		t.Errorf("%+v", s)
	}
	h.sends(0)
	reply.Store(header + "\r\n" + `{"approved":true}`)
	h.run(0, "broadcast")
	h.wants(1, "completed", "")
}
