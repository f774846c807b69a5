package utxo

// StripWitness gives a serialised transaction without its witness (BIP 144),
// so that the double SHA-256 of the bytes is the txid. A transaction without
// witness comes back as it is. Bytes that are not exactly one transaction
// are an error.
func StripWitness(raw []byte) ([]byte, error) {
	if len(raw) < 6 || raw[4] != 0 || raw[5] != 1 { // no marker and flag
		_, err := walkOutputs(raw)
		return raw, err
	}
	r := reader{b: raw[6:]}
	inputs := r.count(41)
	for range inputs {
		r.skip(36)
		r.skip(r.count(1))
		r.skip(4)
	}
	for range r.count(9) {
		r.skip(8)
		r.skip(r.count(1))
	}
	body := raw[6 : len(raw)-len(r.b)]
	for range inputs {
		for range r.count(1) {
			r.skip(r.count(1))
		}
	}
	lockTime := r.take(4)
	if r.failed || inputs == 0 || len(r.b) != 0 {
		return nil, errWalk
	}
	out := make([]byte, 0, 4+len(body)+len(lockTime))
	out = append(append(append(out, raw[:4]...), body...), lockTime...)
	return out, nil
}

// Output gives one output of the previous transaction at a position of the
// table. The script is not to be written to.
func (t *Table) Output(position int, index uint32) (value int64, script []byte, ok bool) {
	if position < 0 || position >= len(t.entries) || uint64(index) >= uint64(len(t.entries[position].outputs)) {
		return 0, nil, false
	}
	out := t.entries[position].outputs[index]
	return out.value, out.script, true
}
