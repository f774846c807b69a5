package tatumkms

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Record is one entry of a wallet.dat, as written.
type Record struct {
	ID     string
	JSON   []byte // the entry's object
	Fields []Field
	Reason string // why it cannot be read; "" if it can
}

// Field is one member of an entry's object.
type Field struct {
	Name  string
	Value json.RawMessage
}

// get finds a field by its exact name. (Go's own decoder would take
// "PrivateKey" for "privateKey".)
func (r Record) get(name string) json.RawMessage {
	for _, f := range r.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}

// text is a field that is a string; "" if there is none.
func (r Record) text(name string) (string, error) {
	raw := r.get(name)
	if raw == nil {
		return "", nil
	}
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil || s == nil {
		return "", fmt.Errorf("its field %s is not text", name)
	}
	return *s, nil
}

const (
	maxRecords = 1 << 18
	maxFields  = 64
)

// Read decrypts a wallet.dat and returns its entries in the order of the file.
func Read(file, password []byte) ([]Record, error) {
	plain, err := decrypt(file, password)
	if err != nil {
		return nil, fmt.Errorf("read wallet.dat: %w", err)
	}
	defer clear(plain)
	records, err := parse(plain)
	if err != nil {
		return nil, fmt.Errorf("read wallet.dat: %w (%w)", blame(plain), err)
	}
	return records, nil
}

// parse splits the JSON object of entries.
func parse(plain []byte) ([]Record, error) {
	members, err := object(plain, maxRecords)
	if err != nil {
		return nil, err
	}
	records := make([]Record, 0, len(members))
	at := make(map[string]int, len(members))
	for _, m := range members {
		first, twice := at[m.Name]
		if twice {
			if !bytes.Equal(records[first].JSON, m.Value) {
				records[first].Reason = "its signature id is there twice, with different content"
			}
			continue
		}
		at[m.Name] = len(records)
		records = append(records, record(m))
	}
	return records, nil
}

func record(m Field) Record {
	r := Record{ID: m.Name, JSON: bytes.Clone(m.Value)}
	fields, err := object(r.JSON, maxFields)
	if err != nil {
		r.Reason = err.Error()
		return r
	}
	r.Fields = fields
	seen := make(map[string]bool, len(fields))
	for _, f := range fields {
		if seen[f.Name] {
			r.Reason = fmt.Sprintf("its field %.40q is there twice", f.Name)
		}
		seen[f.Name] = true
	}
	return r
}

// object splits a JSON object into its members, in order and with those that
// have one name. Errors show nothing of the content.
func object(raw []byte, limit int) ([]Field, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("it is not a JSON object")
	}
	var members []Field
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, errNotJSON()
		}
		m := Field{Name: name.(string)} // in an object the decoder gives nothing else
		if err := d.Decode(&m.Value); err != nil {
			return nil, errNotJSON()
		}
		if members = append(members, m); len(members) > limit {
			return nil, fmt.Errorf("it has more than %d members", limit)
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, errNotJSON()
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON object")
	}
	return members, nil
}

func errNotJSON() error { return errors.New("it is not valid JSON") }
