package ur

import (
	"errors"
	"testing"

	"coldkms/shared/transport/transporttest"
)

func TestConformance(t *testing.T) {
	transporttest.Run(t, transporttest.Encoding{
		Encode:  func(b []byte, chars int) (transporttest.Encoder, error) { return NewEncoder(Bytes, b, chars) },
		Decode:  func() transporttest.Decoder { return &conforming{words: NewReader()} },
		Checked: true,
	})
}

// conforming is a Decoder of the payload whose part comes first.
type conforming struct {
	*Decoder
	key   string
	words *Reader
}

func (c *conforming) Add(text string) error {
	p, err := c.words.Parse(text)
	if err != nil {
		return err
	}
	if p.Type != Bytes {
		return errors.New("of another type")
	}
	if c.Decoder == nil {
		c.Decoder, c.key = NewDecoder(p), p.Key()
	}
	if p.Key() != c.key {
		return errors.New("of another payload")
	}
	c.Decoder.Add(p)
	return nil
}

// Progress and Result of a decoder that has seen no part are of nothing.
func (c *conforming) Progress() (have, need int) {
	if c.Decoder == nil {
		return 0, 1
	}
	return c.Decoder.Progress()
}

func (c *conforming) Result() ([]byte, bool, error) {
	if c.Decoder == nil {
		return nil, false, nil
	}
	return c.Decoder.Result()
}
