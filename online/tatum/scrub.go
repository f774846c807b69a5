package tatum

import (
	"bytes"
	"encoding/json"
	"errors"
)

// errKeyInReply is about a reply that has a secret where it cannot be taken out.
var errKeyInReply = errors.New("the reply has the API key in it: it is not used")

// clean takes the secrets out of a reply: whatever is read of it may be logged,
// journaled and told.
func (c *Client) clean(reply []byte) ([]byte, error) {
	if !c.secrets.In(reply) {
		return reply, nil
	}
	dec := json.NewDecoder(bytes.NewReader(reply))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, errKeyInReply
	}
	clean, err := json.Marshal(c.scrubValue(v))
	if err != nil || c.secrets.In(clean) {
		return nil, errKeyInReply
	}
	return clean, nil
}

func (c *Client) scrubValue(v any) any {
	switch v := v.(type) {
	case string:
		return c.secrets.Text(v)
	case []any:
		for i := range v {
			v[i] = c.scrubValue(v[i])
		}
	case map[string]any:
		for name, field := range v {
			v[name] = c.scrubValue(field)
		}
	}
	return v
}
