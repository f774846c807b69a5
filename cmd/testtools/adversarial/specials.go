//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"unicode/utf8"

	"coldkms/cmd/internal/cli"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// specials are no regular files, or hide what they are.
func (c *corpus) specials() {
	path := func(name string) string { return filepath.Join(inputs, name) }
	full := func(name string) string { return filepath.Join(c.dir, inputs, name) }
	put := func(name, file string, e Case) { e.Name, e.Path = name, file; c.put(e) }
	check(syscall.Mkfifo(full("fifo"), 0o600))
	put("named pipe", path("fifo"), failed("named pipe"))
	c.socket(full("socket"))
	put("socket", path("socket"), failed("not a regular file but a socket"))
	for _, dev := range []string{"zero", "null", "full", "urandom"} {
		put("device "+dev, "/dev/"+dev, failed("device"))
		check(os.Symlink("/dev/"+dev, full("to-"+dev)))
		put("link to device "+dev, path("to-"+dev), failed("device"))
	}
	for _, name := range []string{"environ", "mem", "maps"} {
		put("its own /proc/self/"+name, "/proc/self/"+name, failed("read"))
	}
	put("its own memory as a folder", "/proc/self/fdinfo", failed("no *.kmsreq"))
	for _, link := range [][2]string{{"to-fifo", "fifo"}, {"loop", "loop"}, {"dangling", "nothing"}, {"up", ".."}} {
		check(os.Symlink(link[1], full(link[0])))
	}
	put("link to a named pipe", path("to-fifo"), failed("named pipe"))
	put("link to itself", path("loop"), failed("too many"))
	put("link to nothing", path("dangling"), failed("there is no file or folder"))
	put("link to the folder above", path("up"), failed("no *.kmsreq"))
	check(os.WriteFile(full("hostile"), c.file(c.pay(chain.BTC).with(func(p *payment) { p.msg.TxOut = nil })), 0o600))
	check(os.Symlink("hostile", full("to-hostile")))
	put("link to a hostile request", path("to-hostile"), refused(chain.NoOutputs))
	c.folders(put)
	for _, big := range []struct {
		size int64
		says string
	}{{64<<20 + 1, "not a Coldkms file"}, {1 << 40, "at most"}} {
		size, says := big.size, big.says
		name := fmt.Sprintf("sparse-%d", size)
		check(os.WriteFile(full(name), nil, 0o600))
		check(os.Truncate(full(name), size))
		put(fmt.Sprintf("sparse file of %d bytes", size), path(name), invalid(says))
	}
	check(os.WriteFile(full("sparse"), nil, 0o600))
	check(os.Truncate(full("sparse"), 64<<20))
	put("file of 64 MB of zeros", path("sparse"), invalid("not a Coldkms file"))
	put("path that goes up", "/../../../../../../etc/passwd", invalid("bundle is not valid"))
	put("path below a file", path("hostile/x"), failed("not a directory"))
}

// socket leaves a socket behind that nobody listens on.
func (c *corpus) socket(path string) {
	fd := must(syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0))
	defer func() { _ = syscall.Close(fd) }()
	here := must(os.Getwd())
	check(os.Chdir(filepath.Dir(path))) // the path of a socket is short
	defer func() { check(os.Chdir(here)) }()
	check(syscall.Bind(fd, &syscall.SockaddrUnix{Name: filepath.Base(path)}))
}

// folders have something else in them than requests.
func (c *corpus) folders(put func(name, file string, e Case)) {
	folder := func(name string) string {
		check(os.Mkdir(filepath.Join(c.dir, inputs, name), 0o700))
		return filepath.Join(inputs, name)
	}
	put("empty folder", folder("empty"), failed("no *.kmsreq"))
	hidden := folder("hidden")
	check(os.WriteFile(filepath.Join(c.dir, hidden, ".x.kmsreq"), []byte("x"), 0o600))
	check(os.WriteFile(filepath.Join(c.dir, hidden, "x.KMSREQ"), []byte("x"), 0o600))
	put("folder of hidden requests", hidden, failed("no *.kmsreq"))
	pipes := folder("pipes")
	check(syscall.Mkfifo(filepath.Join(c.dir, pipes, "x.kmsreq"), 0o600))
	put("folder with a named pipe", pipes, failed("named pipe"))
	nested := folder("nested")
	check(os.Mkdir(filepath.Join(c.dir, nested, "x.kmsreq"), 0o700))
	put("folder with a folder", nested, failed("folder"))
	devices := folder("devices")
	check(os.Symlink("/dev/zero", filepath.Join(c.dir, devices, "x.kmsreq")))
	put("folder with a link to a device", devices, failed("device"))
	option := folder("option")
	check(os.WriteFile(filepath.Join(c.dir, option, "--out=x.kmsreq"),
		c.file(c.pay(chain.BTC).with(func(p *payment) { p.msg.TxOut = nil })), 0o600))
	put("folder with a file that is called like an option", option, refused(chain.NoOutputs))
	mixed := folder("mixed")
	check(os.WriteFile(filepath.Join(c.dir, mixed, "b.kmsreq"), c.file(c.pay(chain.BTC)), 0o600))
	check(os.WriteFile(filepath.Join(c.dir, mixed, "a.kmsreq"), []byte("x"), 0o600))
	put("folder with a sound request and a broken one", mixed,
		Case{Exit: cli.Part, Sign: cli.BadBundle, Says: "not a Coldkms file"})
}

// others are read by other commands.
func (c *corpus) others() {
	id := c.target.relay.File()
	pair := invalid("")
	pair.Command = []string{"pair", "{}"}
	flipped := bytes.Clone(id)
	flipped[20] ^= 1
	for _, f := range []struct {
		name string
		file []byte
	}{
		{"cut", id[:len(id)-1]}, {"empty", nil}, {"with a bit flipped", flipped}, {"twice", append(bytes.Clone(id), id...)},
		{"that is a request", c.file(c.pay(chain.BTC))}, {"that is text", []byte("\x1b[2J")}, {"of another magic",
			append([]byte("CKMSIX"), id[6:]...)},
	} {
		c.add("identity file "+f.name, f.file, pair)
	}
	for _, t := range texts() {
		e := failed("one and the same result") // with itself nothing is compared
		e.Command = []string{"compare", "{}", "{}"}
		if !utf8.ValidString(t.text) {
			e.Exit, e.Says = cli.BadBundle, "bundle is not valid"
		}
		c.add("result whose reason "+t.name, c.result(t.text), e)
	}
}

// result is a sealed result of a refusal with this reason.
func (c *corpus) result(reason string) []byte {
	value := []any{make([]byte, 32), make([]byte, 32), 1, []byte{},
		[]any{[]any{ident(pendingID(1)), []any{}, "refused-by-person", reason}}, []any{}}
	k := c.pack(body(value))
	k.kind, k.version = byte(bundle.KindResult), 1
	return k.seal()
}
