package utxo

// StripWitness returns a serialised transaction without its witness (BIP 144),
// so that the double SHA-256 of the bytes is the txid. A transaction without
// witness comes back as it is. Bytes that are not exactly one transaction
// are an error.
func StripWitness(raw []byte) ([]byte, error) {
	if !hasWitness(raw) {
		_, err := walk(raw)
		return raw, err
	}
	body, lockTime, _, err := walkWitness(raw)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, 4+len(body)+len(lockTime))
	out = append(append(append(out, raw[:4]...), body...), lockTime...)
	return out, nil
}

// CountElements returns how many inputs, outputs and items of witness a
// serialised transaction has, together: what makes a decoder take room. It
// allocates next to nothing. Bytes that are not exactly one transaction are
// an error.
func CountElements(raw []byte) (int, error) {
	if !hasWitness(raw) {
		p, err := walk(raw)
		return p.inputs + p.outputs, err
	}
	_, _, n, err := walkWitness(raw)
	return n, err
}

// hasWitness reports whether marker and flag follow the version.
func hasWitness(raw []byte) bool { return len(raw) >= 6 && raw[4] == 0 && raw[5] == 1 }

// walkWitness finds what is left of a transaction with marker and flag once
// its witness is gone: inputs and outputs, and the lock time.
func walkWitness(raw []byte) (body, lockTime []byte, elements int, err error) {
	r := reader{b: raw[6:]}
	inputs := r.count(41)
	for range inputs {
		r.skip(36)
		r.skip(r.count(1))
		r.skip(4)
	}
	outputs := r.count(9)
	for range outputs {
		r.skip(8)
		r.skip(r.count(1))
	}
	body = raw[6 : len(raw)-len(r.b)]
	elements = inputs + outputs
	for range inputs {
		items := r.count(1)
		for range items {
			r.skip(r.count(1))
		}
		elements += items
	}
	lockTime = r.take(4)
	if r.failed || inputs == 0 || len(r.b) != 0 {
		return nil, nil, 0, errWalk
	}
	return body, lockTime, elements, nil
}

// Output returns one output of the previous transaction at a position of the
// table. The script is not to be written to.
func (t *Table) Output(position int, index uint32) (value int64, script []byte, ok bool) {
	if position < 0 || position >= len(t.entries) {
		return 0, nil, false
	}
	return t.entries[position].output(index)
}
