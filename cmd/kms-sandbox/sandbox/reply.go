package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// problem is an error in the body that Tatum gives it.
type problem struct {
	Status  int         `json:"statusCode"`
	Code    string      `json:"errorCode"`
	Message string      `json:"message"`
	Data    []violation `json:"data,omitempty"`
}

// violation is one field that failed validation.
type violation struct {
	Property    string            `json:"property"`
	Constraints map[string]string `json:"constraints"`
}

// Error returns code and message.
func (p *problem) Error() string { return p.Code + ": " + p.Message }

func invalid(property, format string, args ...any) error {
	return &problem{
		Status: http.StatusBadRequest, Code: "validation.failed",
		Message: "Request validation failed. Please see data for additional information.",
		Data:    []violation{{property, map[string]string{"sandbox": property + " " + fmt.Sprintf(format, args...)}}},
	}
}

func forbidden(code, format string, args ...any) error {
	return &problem{Status: http.StatusForbidden, Code: code, Message: fmt.Sprintf(format, args...)}
}

func notFound(code, format string, args ...any) error {
	return &problem{Status: http.StatusNotFound, Code: code, Message: fmt.Sprintf(format, args...)}
}

// problemOf turns any error into a body. What is no problem by itself is our
// own fault, or the node's that is gone.
func problemOf(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &problem{Status: http.StatusRequestEntityTooLarge, Code: "request.too.large",
			Message: fmt.Sprintf("The request body is larger than %d bytes.", tooLarge.Limit)}
	}
	return &problem{Status: http.StatusInternalServerError, Code: "server.error", Message: err.Error()}
}

func isNodeError(err error) bool {
	var refused *NodeError
	return errors.As(err, &refused)
}

// reply is what a handler answers: a status and a body, or nothing.
type reply struct {
	status int
	body   any
}

func ok(body any) (reply, error) { return reply{http.StatusOK, body}, nil }

func noContent() (reply, error) { return reply{status: http.StatusNoContent}, nil }

type handler func(r *http.Request) (reply, error)

// ServeHTTP writes the reply, or the error in Tatum's shape.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	got, err := h(r)
	if err != nil {
		writeProblem(w, problemOf(err))
		return
	}
	writeJSON(w, got.status, got.body)
}

func writeProblem(w http.ResponseWriter, p *problem) { writeJSON(w, p.Status, p) }

func writeJSON(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		http.Error(w, `{"errorCode":"server.error","message":"reply does not marshal","statusCode":500}`, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a client that left does not hear us
}

// decode reads a JSON body. Unknown fields are ignored, as Tatum does.
func decode(r *http.Request, into any) error {
	dec := json.NewDecoder(r.Body)
	err := dec.Decode(into)
	if err == nil && dec.More() {
		return invalid("body", "must be one JSON value")
	}
	var tooLarge *http.MaxBytesError
	if err == nil || errors.As(err, &tooLarge) {
		return err
	}
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) && wrongType.Field != "" {
		return invalid(wrongType.Field, "must be of kind %s, not %s", wrongType.Type.Kind(), wrongType.Value)
	}
	return invalid("body", "does not read as JSON of this request: %v", err)
}
