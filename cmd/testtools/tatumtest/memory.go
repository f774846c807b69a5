package tatumtest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
)

// Memory makes a server without a socket: Transport(s) carries calls to it.
func Memory() *Server {
	return &Server{raw: make(map[string]string), byName: make(map[string]map[string]any), calls: make(map[string]int),
		blocks: make(map[string]int64), URL: "http://127.0.0.1:1"}
}

// Transport hands calls to a handler, with no socket in between, so that it
// works in a testing/synctest bubble. A handler that aborts, or that announces
// more bytes than it sends, is a connection that was cut.
func Transport(h http.Handler) http.RoundTripper { return transport{h} }

type transport struct{ http.Handler }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	defer func() {
		if p := recover(); p != nil {
			if p != http.ErrAbortHandler {
				panic(p)
			}
			resp, err = nil, io.ErrUnexpectedEOF
		}
	}()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	in := r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	t.ServeHTTP(w, in)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	resp = w.Result()
	resp.Request = r
	if resp.ContentLength < 0 { // a server states the length of a short reply
		resp.ContentLength = int64(w.Body.Len())
	}
	return resp, cut(resp, w.Body.Len())
}

func cut(resp *http.Response, have int) error {
	announced, err := strconv.Atoi(resp.Header.Get("Content-Length"))
	if err != nil || announced <= have {
		return nil
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return errors.Join(errors.New("tatumtest"), err)
	}
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), broken{}))
	return nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
