package wallet

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"runtime/debug"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/text/unicode/norm"
)

// Cost is what one try of a password costs.
type Cost struct {
	Memory uint32 // KiB
	Passes uint32
	Lanes  uint8
}

// DefaultCost is the least that the programs write.
func DefaultCost() Cost { return leastCost() }

// Limits of what is read, checked before anything is allocated: a hostile
// file must not take the machine down.
const (
	maxMemory = 2 << 20 // KiB: 2 GiB
	maxPasses = 64
	maxLanes  = 64
	minPerLan = 8 // KiB a lane (RFC 9106, 3.1)
)

func (c Cost) check() error {
	if c.Lanes < 1 || c.Lanes > maxLanes || c.Passes < 1 || c.Passes > maxPasses ||
		c.Memory < minPerLan*uint32(c.Lanes) || c.Memory > maxMemory {
		return fmt.Errorf("key derivation of %d KiB, %d passes, %d lanes is out of bounds", c.Memory, c.Passes, c.Lanes)
	}
	return nil
}

// max takes the higher of each: a cost is raised and never lowered.
func (c Cost) max(d Cost) Cost {
	return Cost{Memory: max(c.Memory, d.Memory), Passes: max(c.Passes, d.Passes), Lanes: max(c.Lanes, d.Lanes)}
}

// Calibrate returns DefaultCost with the passes raised, never lowered, until one
// try takes about target on this machine. It measures once, with the clock
// that is given.
func Calibrate(now func() time.Time, target time.Duration) Cost {
	cost := DefaultCost()
	start := now()
	clear(cost.stretch([]byte("calibrate"), make([]byte, saltSize)))
	return passesFor(cost, now().Sub(start), target)
}

// passesFor raises the passes of a cost of which one try took so long.
func passesFor(cost Cost, took, target time.Duration) Cost {
	if took <= 0 {
		return cost // the clock stood still: nothing was measured
	}
	passes := int64(cost.Passes) * int64(target) / int64(took)
	cost.Passes = uint32(min(max(passes, int64(cost.Passes)), maxPasses))
	return cost
}

const keySize = chacha20poly1305.KeySize

// keys are what a password gives with one salt.
type keys struct{ header, body [keySize]byte }

func (k *keys) wipe() { *k = keys{} }

// stretch runs Argon2id.
func (c Cost) stretch(password, salt []byte) []byte {
	normal := norm.NFC.Append(make([]byte, 0, len(password)+64), password...)
	defer clear(normal)
	master := argon2.IDKey(normal, salt, c.Passes, c.Memory, c.Lanes, keySize)
	if c.Memory >= 64<<10 {
		debug.FreeOSMemory() // the library leaves its memory, full of intermediate values, to the collector
	}
	return master
}

// derive returns the keys of a password, which is normalised (NFC) because
// keyboards and systems differ in how they compose an "ä".
func (c Cost) derive(password, salt []byte) (keys, error) {
	master := c.stretch(password, salt)
	defer clear(master)
	var k keys
	for _, part := range []struct {
		to   []byte
		info string
	}{{k.header[:], "coldkms wallet v1 header"}, {k.body[:], "coldkms wallet v1 body"}} {
		key, err := hkdf.Expand(sha256.New, master, part.info, keySize)
		if err != nil {
			return keys{}, fmt.Errorf("derive keys: %w", err)
		}
		copy(part.to, key)
		clear(key)
	}
	return k, nil
}
