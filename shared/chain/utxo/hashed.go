package utxo

// HashesAll reports whether each signature that spends a script hashes the
// whole transaction, as all did before BIP 143: what is hashed then grows with
// the square of the inputs.
func (p Params) HashesAll(script []byte) bool {
	kind := p.KindOf(script)
	return !p.ForkID && (kind == P2PK || kind == P2PKH)
}

// Hashed returns how many KiB, rounded up, so many of these signatures hash
// for a transaction of this size without scripts.
func Hashed(size, signatures int) int {
	return int((int64(size)*int64(signatures) + 1023) >> 10)
}

// Hashed returns how many KiB the signatures of t hash that each hash all of it.
func (t *Tx) Hashed() int {
	n := 0
	for _, s := range t.spent {
		if t.params.HashesAll(s.Script) {
			n++
		}
	}
	return Hashed(len(t.unsigned), n)
}
