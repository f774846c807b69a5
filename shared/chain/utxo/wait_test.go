package utxo

import (
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
)

// A relative lock time is what BIP 68 says it is: only from version 2 on, only
// without the disabling bit, in blocks or in units of 512 seconds.
func TestRelativeLockTime(t *testing.T) {
	f := newFixture(t)
	for _, x := range []struct {
		version         int32
		sequence        uint32
		blocks, seconds int64
	}{
		{2, wire.MaxTxInSequenceNum, 0, 0},
		{2, wire.MaxTxInSequenceNum - 2, 0, 0},
		{2, 0, 0, 0},
		{2, 144, 144, 0},
		{2, 1<<22 | 3, 0, 1536},
		{2, 1<<31 | 144, 0, 0},
		{2, 0x12_ff_ff, 0xffff, 0},
		{1, 144, 0, 0},
		{-1, 144, 144, 0}, // the rule takes the version as a number without a sign
	} {
		msg := f.spend([]uint32{1}, 1000)
		msg.Version, msg.TxIn[0].Sequence = x.version, x.sequence
		tx, err := f.decode(msg)
		if err != nil {
			t.Fatal(err)
		}
		in := tx.Explain(anyKey{}).Sources[0]
		if in.WaitBlocks != x.blocks || in.WaitSeconds != x.seconds {
			t.Errorf("version %d, sequence %#x: %d blocks, %d seconds", x.version, x.sequence, in.WaitBlocks, in.WaitSeconds)
		}
	}
}
