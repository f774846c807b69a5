// Package httpbody tells a body of an HTTP reply that ended where it was meant to
// from one that may have been cut.
package httpbody

import (
	"net/http"
	"slices"
)

// Delimited reports whether a reply states where its body ends, so that reading one
// that was cut is an error. A reply by HTTP/1 without a length and without chunks ends
// where the connection does: a sender that died looks the same as one that was done.
// It holds for bodies that are not decompressed on the way, and as far as the sender
// goes: see Measured.
func Delimited(resp *http.Response) bool {
	return resp.ContentLength >= 0 || resp.ProtoMajor >= 2 || slices.Contains(resp.TransferEncoding, "chunked")
}

// Measured reports whether a reply states the length of its body before the body. The
// end of chunks, or of a stream, may be a proxy's, which had a reply that was cut and
// does not know it.
func Measured(resp *http.Response) bool {
	return resp.ContentLength >= 0 && resp.Header.Get("Content-Length") != ""
}
