//go:build unix

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/btcsuite/btcd/btcec/v2"
	library "github.com/btcsuite/btcd/psbt/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/internal/cli"
	"coldkms/shared/chain"
	"coldkms/shared/psbt/psbttest"
)

// packet is a sound PSBT of a payment.
func packet(p *payment) []byte {
	raw := must(library.NewFromUnsignedTx(p.msg))
	for i := range raw.Inputs {
		raw.Inputs[i].NonWitnessUtxo = p.prev[0]
		if txscript.IsPayToScriptHash(p.prev[0].TxOut[i].PkScript) {
			raw.Inputs[i].RedeemScript = ownScripts(p.chain)[1]
		}
	}
	return psbttest.Write(raw)
}

// packets are PSBTs that decode, and want what must not be signed.
func (c *corpus) packets() {
	for _, id := range []chain.ID{chain.BTC, chain.LTC, chain.DOGE} {
		c.add("PSBT of "+string(id)+", sound", packet(c.pay(id)), Case{Sound: true})
		add := func(name string, e Case, change func(p *payment, raw *library.Packet)) {
			p := c.spend(id, ownScripts(id)[0], ownScripts(id)[0])
			c.add("PSBT of "+string(id)+" "+name, psbttest.Change(packet(p), func(raw *library.Packet) { change(p, raw) }), e)
		}
		for _, h := range []txscript.SigHashType{2, 3, 0x81, 0x82, 0x83, 0x41, 0x80, 0xff, 1 << 31} {
			add(fmt.Sprintf("with hash type %#x", uint32(h)), refused(chain.SighashNotAll),
				func(_ *payment, raw *library.Packet) { raw.Inputs[1].SighashType = h })
		}
		add("with another previous transaction", refused(chain.HashMismatch), func(p *payment, raw *library.Packet) {
			other := p.prev[0].Copy()
			other.TxOut[0].Value++
			raw.Inputs[0].NonWitnessUtxo = other
		})
		add("without previous transactions", refused(chain.UnprovenAmount), func(p *payment, raw *library.Packet) {
			for i := range raw.Inputs {
				raw.Inputs[i].NonWitnessUtxo, raw.Inputs[i].WitnessUtxo = nil, p.prev[0].TxOut[i]
			}
		})
		add("without anything about an input", refused(chain.UnprovenAmount), func(_ *payment, raw *library.Packet) {
			raw.Inputs[0].NonWitnessUtxo, raw.Inputs[1].NonWitnessUtxo = nil, nil
		})
		add("that claims another amount", refused(chain.AmountMismatch), func(p *payment, raw *library.Packet) {
			raw.Inputs[0].WitnessUtxo = wire.NewTxOut(p.prev[0].TxOut[0].Value-1, p.prev[0].TxOut[0].PkScript)
		})
		add("that claims another script", refused(chain.AmountMismatch), func(p *payment, raw *library.Packet) {
			raw.Inputs[0].WitnessUtxo = wire.NewTxOut(p.prev[0].TxOut[0].Value, stranger(1))
		})
		add("with a foreign scriptSig", refused(chain.ForeignScript),
			func(_ *payment, raw *library.Packet) { raw.Inputs[0].FinalScriptSig = []byte{txscript.OP_TRUE} })
		add("with a foreign signature", refused(chain.ForeignScript), foreignSignature)
		add("with a redeem script that is not the output's", refused(chain.Malformed),
			func(_ *payment, raw *library.Packet) { raw.Inputs[0].RedeemScript = []byte{txscript.OP_TRUE} })
		add("that spends nothing of ours", refused(chain.NoKeyForInput), func(p *payment, raw *library.Packet) {
			p.prev[0].TxOut[0].PkScript, p.prev[0].TxOut[1].PkScript = stranger(1), stranger(2)
			p.rehash()
			*raw = *must(library.NewFromUnsignedTx(p.msg))
			raw.Inputs[0].NonWitnessUtxo, raw.Inputs[1].NonWitnessUtxo = p.prev[0], p.prev[0]
		})
		add("with a stranger's second input", refused(chain.NoKeyForInput), func(p *payment, raw *library.Packet) {
			p.prev[0].TxOut[1].PkScript = stranger(1)
			p.rehash()
			*raw = *must(library.NewFromUnsignedTx(p.msg))
			raw.Inputs[0].NonWitnessUtxo, raw.Inputs[1].NonWitnessUtxo = p.prev[0], p.prev[0]
		})
		add("with a fee of 99 percent", refused(chain.FeeAbovePolicy), func(_ *payment, raw *library.Packet) {
			raw.UnsignedTx.TxOut[0].Value, raw.UnsignedTx.TxOut[1].Value = amount(id)/100, amount(id)/100
		})
		add("with dust", refused(chain.Dust), func(_ *payment, raw *library.Packet) { raw.UnsignedTx.TxOut[0].Value = 1 })
		add("with an output above the supply", refused(chain.ValueOutOfRange), func(_ *payment, raw *library.Packet) {
			raw.UnsignedTx.TxOut[0].Value = params(id).MaxValue + 1
		})
		add("with an outpoint twice", refused(chain.DuplicateInput), func(_ *payment, raw *library.Packet) {
			raw.UnsignedTx.TxIn[1].PreviousOutPoint = raw.UnsignedTx.TxIn[0].PreviousOutPoint
		})
	}
	c.segwitPackets()
}

func foreignSignature(_ *payment, raw *library.Packet) {
	key, public := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{9}, 32))
	raw.Inputs[0].PartialSigs = []*library.PartialSig{{PubKey: public.SerializeCompressed(),
		Signature: must(txscript.RawTxInSignature(raw.UnsignedTx, 0, stranger(9), txscript.SigHashAll, key))}}
}

// segwitPackets are the attack for which BIP 174 wants whole previous
// transactions: two PSBTs, each claiming less of the other's input.
func (c *corpus) segwitPackets() {
	for _, id := range []chain.ID{chain.BTC, chain.LTC} {
		script := ownScripts(id)[1]
		p := c.spend(id, script, script)
		p.msg.TxOut[1].Value -= 1_500_000
		lie := wire.NewTxOut(amount(id)-1_000_000, script)
		for half := range 2 {
			c.add(fmt.Sprintf("PSBT of %s, fee attack, half %d", id, half+1),
				psbttest.Change(packet(p), func(raw *library.Packet) {
					raw.Inputs[half].NonWitnessUtxo, raw.Inputs[half].WitnessUtxo = nil, lie
				}), refused(chain.AmountMismatch))
			c.add(fmt.Sprintf("PSBT of %s, fee attack without proofs, half %d", id, half+1),
				psbttest.Change(packet(p), func(raw *library.Packet) {
					for i := range raw.Inputs {
						raw.Inputs[i].NonWitnessUtxo, raw.Inputs[i].WitnessUtxo = nil, p.prev[0].TxOut[i]
					}
					raw.Inputs[half].WitnessUtxo = lie
				}), refused(chain.UnprovenAmount))
		}
		c.add("PSBT of "+string(id)+" with a foreign witness",
			psbttest.Change(packet(c.spend(id, script)), func(raw *library.Packet) {
				raw.Inputs[0].FinalScriptWitness = []byte{1, 1, 9}
			}), refused(chain.ForeignScript))
		taproot := c.spend(id, ownScripts(id)[4])
		c.add("PSBT of "+string(id)+" with a foreign taproot signature",
			psbttest.Change(packet(taproot), func(raw *library.Packet) {
				raw.Inputs[0].TaprootKeySpendSig = make([]byte, 64)
			}), refused(chain.ForeignScript))
		c.add("PSBT of "+string(id)+" with a taproot amount claimed",
			psbttest.Change(packet(taproot), func(raw *library.Packet) {
				raw.Inputs[0].NonWitnessUtxo = nil
				raw.Inputs[0].WitnessUtxo = wire.NewTxOut(amount(id)+1000, ownScripts(id)[4])
			}), flagged(chain.FlagCommitted))
	}
}

// packetForms are PSBTs that do not decode.
func (c *corpus) packetForms() {
	good := packet(c.pay(chain.BTC))
	add := func(name string, file []byte) { c.add("PSBT "+name, file, invalid("not a valid PSBT")) }
	for _, n := range []int{5, 6, 10, 50, len(good) / 2, len(good) - 3, len(good) - 1} {
		add(fmt.Sprintf("cut to %d", n), good[:n])
	}
	add("with a byte behind it", append(bytes.Clone(good), 0))
	add("twice", append(bytes.Clone(good), good...))
	add("in base64 with rubbish", []byte(base64.StdEncoding.EncodeToString(good)+"!"))
	add("in base64, cut", []byte(base64.StdEncoding.EncodeToString(good)[:100]))
	add("of another magic", []byte("cHNidP"+"\x1b[2J"))
	add("of version 2", []byte("psbt\xff\x01\xfb\x04\x02\x00\x00\x00\x00"))
	at := len(good) - 3 // before the separators of the input and both outputs
	put := func(pair ...byte) []byte { return append(append(bytes.Clone(good[:at]), pair...), good[at:]...) }
	add("with a pair twice", put(1, 0xf0, 0, 1, 0xf0, 0))
	add("with a type above a byte", put(3, 0xfd, 0xf0, 1, 0))
	add("with a length in a longer form", put(2, 0xf0, 1, 0xfd, 1, 0, 7))
	add("with a value longer than the file", put(1, 0xf0, 0xfe, 0, 0, 0, 1))
	add("with a value of 2^64", put(1, 0xf0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
	add("with a short hash type", put(1, 3, 3, 0, 0, 0))
	add("with a second transaction", put(1, 0, 4, 1, 2, 3, 4))
	tap := append(append([]byte{33, 0x16}, make([]byte, 32)...), 13, 0xff)
	add("with leaves that overflow", put(append(binary.LittleEndian.AppendUint64(tap, 1<<59), 1, 2, 3, 4)...))
	var pairs []byte
	for i := range 257 {
		pairs = append(pairs, 3, 0xf0, byte(i>>8), byte(i), 0)
	}
	add("with 257 pairs", put(pairs...))
	add("of 33 MB", append(bytes.Clone(good), make([]byte, 33<<20)...))
	signed := c.pay(chain.BTC)
	signed.msg.TxIn[0].SignatureScript = []byte{1}
	var b bytes.Buffer
	check(signed.msg.SerializeNoWitness(&b))
	add("whose transaction is signed", append(append([]byte("psbt\xff\x01\x00"), byte(b.Len())),
		append(b.Bytes(), 0, 0, 0, 0)...))
	c.add("PSBT of a chain that has none", packet(c.pay(chain.BCH)), refused(chain.NoKeyForInput))
	c.add("PSBT named for a chain that it is not for", packet(c.pay(chain.BTC)),
		Case{Flags: []string{"--chain", "DOGE"}, Exit: cli.Refused, Code: chain.NoKeyForInput})
}
