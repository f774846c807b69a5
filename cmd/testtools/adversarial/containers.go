//go:build unix

package main

import (
	"bytes"
	"fmt"

	"coldkms/shared/chain"
)

// containers are damaged, forged, or not what they say.
func (c *corpus) containers() {
	bomb, near := squeeze(make([]byte, 64<<20)), nearBomb()
	sound := body(c.ask(c.pay(chain.BTC)).value())
	file := c.pack(sound).seal()
	change := func(name, says string, change func(*container)) {
		k := c.pack(sound)
		change(&k)
		c.add("container "+name, k.seal(), invalid(says))
	}
	change("of another product", "not a Coldkms file", func(k *container) { k.magic = "CKMT" })
	change("that is a result", "another kind", func(k *container) { k.kind, k.version = 'R', 1 })
	change("that is a watch file", "another kind", func(k *container) { k.kind, k.version = 'W', 1 })
	change("of no kind", "another kind", func(k *container) { k.kind, k.version = 0x1b, 1 })
	change("of version 0", "version 0", func(k *container) { k.version = 0 })
	change("of version 1", "version 1", func(k *container) { k.version = 1 })
	change("of version 3", "version 3", func(k *container) { k.version = 3 })
	change("of version 255", "version 255", func(k *container) { k.version = 255 })
	change("by a stranger", "not paired", func(k *container) { k.author = keyOf(9) })
	change("announced a byte longer", "does not expand", func(k *container) { k.size++ })
	change("announced a byte shorter", "than announced", func(k *container) { k.size-- })
	change("announced as nothing", "than announced", func(k *container) { k.size = 0 })
	change("announced as 4 GB", "announces", func(k *container) { k.size = 1<<32 - 1 })
	change("with a byte behind the stream", "than announced", func(k *container) { k.packed = append(k.packed, 0) })
	change("with a second stream", "than announced", func(k *container) { k.packed = append(k.packed, k.packed...) })
	change("with a stream cut short", "expand", func(k *container) { k.packed = k.packed[:len(k.packed)-2] })
	change("with a stream of rubbish", "expand", func(k *container) { k.packed = bytes.Repeat([]byte{0xff}, 100) })
	change("without a stream", "bundle is not valid", func(k *container) { k.packed = nil })
	change("that is a bomb", "announces", func(k *container) { k.packed, k.size = bomb, 64<<20 })
	change("that is a bomb and says it is not", "than announced",
		func(k *container) { k.packed, k.size = bomb, uint32(len(sound)) })
	change("that is a bomb just within the limit, by a stranger", "not paired",
		func(k *container) { k.packed, k.size, k.author = near, nearSize, keyOf(9) })
	change("that is a bomb just within the limit", "bundle is not valid",
		func(k *container) { k.packed, k.size = near, nearSize })
	for _, n := range []int{0, 1, 4, 5, 6, 37, 38, 101, 102, 105, 106, 107, len(file) / 2, len(file) - 1} {
		c.add(fmt.Sprintf("container cut to %d", n), file[:n], invalid("bundle is not valid"))
	}
	for i := range 32 {
		bad := bytes.Clone(file)
		at := i * len(bad) / 32
		bad[at] ^= 1 << (i % 8)
		c.add(fmt.Sprintf("container with bit %d of byte %d flipped", i%8, at), bad, invalid("bundle is not valid"))
	}
	c.add("container with a byte behind it", append(bytes.Clone(file), 0), invalid("damaged or altered"))
	c.add("container twice", append(bytes.Clone(file), file...), invalid("damaged or altered"))
	c.add("container with another's key and signature", func() []byte {
		k := c.pack(sound)
		k.author = keyOf(9)
		forged, mine := k.seal(), bytes.Clone(file)
		copy(mine[38:102], forged[38:102])
		return mine
	}(), invalid("damaged or altered"))
	c.add("container with a signature of zeros", func() []byte {
		b := bytes.Clone(file)
		clear(b[6:102]) // the zero key is a point of small order
		return b
	}(), invalid("bundle is not valid"))
	c.add("text", []byte("hello\x1b[2J\n"), invalid("not a Coldkms file"))
	c.add("wallet", []byte("CKMSWAL\x00rest"), invalid("bundle is not valid"))
	c.add("request for another signer", c.pack(body(c.ask(c.pay(chain.BTC)).with(func(r *request) { r.signer = keyOf(8).Public() }).value())).seal(), invalid("another signer"))
	c.add("request that knows another ledger",
		c.pack(body(c.ask(c.pay(chain.BTC)).with(func(r *request) { r.head = bytes.Repeat([]byte{7}, 32) }).value())).seal(),
		Case{Exit: exitRefused, Says: "old copy"})
}

func (r *request) with(change func(*request)) *request {
	change(r)
	return r
}

// nearSize is what nearBomb expands to.
const nearSize = 250 << 20

// nearBomb expands to as much as a file of its size may.
func nearBomb() []byte {
	data := make([]byte, nearSize)
	for i := 0; i < len(data); i += 700 { // something to keep it from shrinking too far
		data[i] = byte(i / 700)
	}
	packed := squeeze(data)
	if len(packed)*200 < len(data) {
		panic(fmt.Sprintf("%d bytes expand to %d", len(packed), len(data)))
	}
	return packed
}
