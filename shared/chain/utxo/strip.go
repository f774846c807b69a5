package utxo

// Bits of the flag that follows the marker of an extended serialisation.
const (
	flagWitness = 0x01 // BIP 144
	flagMWEB    = 0x08 // Litecoin's LIP 3: an extension block's part of the transaction
)

// StripWitness returns a serialised transaction without its witness (BIP 144)
// and without Litecoin's MWEB part (LIP 3), so that the double SHA-256 of the
// bytes is the txid. A transaction with neither comes back as it is. Bytes
// that are not exactly one transaction are an error.
func StripWitness(raw []byte) ([]byte, error) {
	if !isExtended(raw) {
		_, err := walk(raw)
		return raw, err
	}
	body, lockTime, _, err := walkExtended(raw)
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
	if !isExtended(raw) {
		p, err := walk(raw)
		return p.inputs + p.outputs, err
	}
	_, _, n, err := walkExtended(raw)
	return n, err
}

// isExtended reports whether marker and a known flag follow the version.
func isExtended(raw []byte) bool {
	return len(raw) >= 6 && raw[4] == 0 && raw[5] != 0 && raw[5]&^(flagWitness|flagMWEB) == 0
}

// HasMWEB reports whether a serialised transaction has an MWEB part.
func HasMWEB(raw []byte) bool { return isExtended(raw) && raw[5]&flagMWEB != 0 }

// walkExtended finds what is left of a transaction with marker and flag once
// its witness and its MWEB part are gone: inputs and outputs, and the lock time.
func walkExtended(raw []byte) (body, lockTime []byte, elements int, err error) {
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
	if raw[5]&flagWitness != 0 {
		for range inputs {
			items := r.count(1)
			for range items {
				r.skip(r.count(1))
			}
			elements += items
		}
	}
	if raw[5]&flagMWEB != 0 {
		r.skipMWEB()
	}
	lockTime = r.take(4)
	if r.failed || inputs == 0 || len(r.b) != 0 {
		return nil, nil, 0, errWalk
	}
	return body, lockTime, elements, nil
}

// skipMWEB reads up to the lock time, which is what is left at the end: one
// byte 0 where the part is empty (a transaction that a miner made to settle
// the extension block), otherwise a byte 1 and content that no txid commits to.
func (r *reader) skipMWEB() {
	part := r.take(len(r.b) - 4)
	if len(part) == 0 || part[0] > 1 || part[0] == 0 && len(part) > 1 {
		r.failed = true
	}
}

// Output returns one output of the previous transaction at a position of the
// table. The script is not to be written to.
func (t *Table) Output(position int, index uint32) (value int64, script []byte, ok bool) {
	if position < 0 || position >= len(t.entries) {
		return 0, nil, false
	}
	return t.entries[position].output(index)
}
