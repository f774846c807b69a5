package sandbox

import "net/http"

// LoseReplies makes a Faults.Wrap that lets matching requests do their work
// and then cuts the connection, as when a reply is lost on its way.
func LoseReplies(match func(*http.Request) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !match(r) {
				next.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(&headerOnly{header: make(http.Header)}, r)
			panic(http.ErrAbortHandler) // net/http's way to drop a connection
		})
	}
}

// Answer makes a Faults.Wrap that answers matching requests with a status,
// such as 429 or 500, and does nothing else.
func Answer(status int, match func(*http.Request) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !match(r) {
				next.ServeHTTP(w, r)
				return
			}
			writeProblem(w, &problem{Status: status, Code: "sandbox.fault", Message: http.StatusText(status)})
		})
	}
}
