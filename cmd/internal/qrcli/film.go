package qrcli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"coldkms/cmd/internal/cli"
	"coldkms/shared/durable"
	"coldkms/shared/qr"
	"coldkms/shared/qr/show"
	"coldkms/shared/transport"
)

// Options say how a file is shown.
type Options struct {
	To      string // file or folder; "" is the terminal
	Lane    string
	Density int // version of the symbols; 0: what suits the screen
	Rate    int // symbols a second; 0: what suits
	Pixels  int // a module, in pictures
	Style   string
}

// Flags declares them.
func (o *Options) Flags(f *pflag.FlagSet) {
	f.StringVar(&o.To, "qr-out", "",
		"show as a file instead of on the terminal: FILE.html, FILE.gif, FILE.png (one symbol), or a folder for one PNG a symbol")
	f.StringVar(&o.Lane, "lane", "",
		"form of the symbols: fast (between these programs), ur or bbqr (for other wallets)")
	f.IntVar(&o.Density, "density", 0, "version of the symbols, 1 to 40: more is faster and harder to read")
	f.IntVar(&o.Rate, "fps", 0, "symbols a second")
	f.IntVar(&o.Pixels, "pixels", 8, "pixels a module, in pictures")
	f.StringVar(&o.Style, "style", "", "terminal: coloured, dark, light, hash-dark or hash-light")
}

// What pictures have where nothing else is asked for.
const (
	fileDensity = 20
	fileRate    = 10
	maxFilm     = 5000 // symbols of a picture, GIF or page
)

var errOptions = errors.New("cannot be shown so")

// lane is the one asked for, or what suits a file: other wallets take PSBTs.
func (o Options) lane(kind transport.Kind) transport.Lane {
	switch {
	case o.Lane != "":
		return transport.Lane(o.Lane)
	case kind == transport.PSBT:
		return transport.UR
	}
	return transport.Fast
}

func (o Options) check() error {
	switch {
	case o.Density < 0 || o.Density > 40:
		return cli.Fail(cli.Usage, fmt.Errorf("--density is 1 to 40"), "")
	case o.Rate < 0 || o.Rate > 60:
		return cli.Fail(cli.Usage, fmt.Errorf("--fps is 1 to 60"), "")
	case o.Pixels < 1 || o.Pixels > 64:
		return cli.Fail(cli.Usage, fmt.Errorf("--pixels is 1 to 64"), "")
	}
	switch transport.Lane(o.Lane) {
	case "", transport.Fast, transport.UR, transport.BBQr:
		return nil
	}
	return cli.Fail(cli.Usage, fmt.Errorf("--lane is fast, ur or bbqr"), "")
}

// encoder splits a file for symbols of a version.
func (o Options) encoder(file []byte, version int) (transport.Encoder, error) {
	kind := KindOf(file)
	e, err := transport.NewEncoder(o.lane(kind), kind, file, qr.Capacity(version))
	if err != nil {
		return nil, cli.Fail(cli.Usage, err, "larger symbols (--density) hold more; or export fewer at once (--max)")
	}
	return e, nil
}

// Film writes a file as pictures, at o.To, and returns the path and how many
// symbols there are.
func (o Options) Film(fsys durable.FS, title string, file []byte) (path string, symbols int, err error) {
	if err := o.check(); err != nil {
		return "", 0, err
	}
	density, rate := o.Density, o.Rate
	if density == 0 {
		density = fileDensity
	}
	if rate == 0 {
		rate = fileRate
	}
	list, err := o.film(file, density)
	if err != nil {
		return "", 0, err
	}
	pace := show.Pace{Version: density, Rate: rate}
	var out bytes.Buffer
	ending := strings.ToLower(filepath.Ext(o.To))
	if info, err := fsys.Stat(o.To); err == nil && info.IsDir() {
		ending = ""
	}
	switch ending {
	case ".html", ".htm":
		err = show.Page(&out, title, list, rate)
	case ".gif":
		err = show.GIF(&out, list, o.Pixels, pace.Each())
	case ".png":
		if len(list) > 1 {
			return "", 0, cli.Fail(cli.Usage, fmt.Errorf("%w: one picture holds one symbol, and this takes %d",
				errOptions, len(list)), "name a .gif, a .html or a folder")
		}
		err = show.PNG(&out, list[0], o.Pixels)
	case "":
		return o.folder(fsys, list)
	default:
		return "", 0, cli.Fail(cli.Usage,
			fmt.Errorf("%w: --qr-out %s: there is no such form", errOptions, filepath.Base(o.To)),
			"name a .html, a .gif, a .png (one symbol), or a folder, which has no dot in its name")
	}
	if err == nil {
		err = durable.Create(fsys, o.To, out.Bytes(), durable.PermFile, nil)
	}
	if err != nil {
		return "", 0, cli.Fail(cli.Failed, err, "")
	}
	return o.To, len(list), nil
}

// film makes the symbols of a loop. What is drawn once cannot go on for ever:
// half as many again as are needed make up for those that are missed, and a
// single one needs no more.
func (o Options) film(file []byte, density int) ([]qr.Matrix, error) {
	e, err := o.encoder(file, density)
	if err != nil {
		return nil, err
	}
	n := e.Parts()
	if o.lane(KindOf(file)) != transport.BBQr && n > 1 {
		n += n/2 + 5
	}
	if n > maxFilm {
		return nil, cli.Fail(cli.Usage, fmt.Errorf("%w: %d symbols, at most %d", errOptions, n, maxFilm),
			"larger symbols (--density) hold more; or show it on the terminal")
	}
	parts := make([]string, n)
	for i := range parts {
		parts[i] = e.Next()
	}
	version := density
	if e.Parts() == 1 {
		version = 0 // a single one is as small as it can be
	}
	return qr.EncodeAll(parts, version)
}

// folder writes one PNG a symbol.
func (o Options) folder(fsys durable.FS, list []qr.Matrix) (string, int, error) {
	if err := os.MkdirAll(o.To, durable.PermDir); err != nil {
		return "", 0, cli.Fail(cli.Failed, err, "")
	}
	for i, m := range list {
		var out bytes.Buffer
		err := show.PNG(&out, m, o.Pixels)
		if err == nil {
			path := filepath.Join(o.To, fmt.Sprintf("part-%05d.png", i+1))
			err = durable.Create(fsys, path, out.Bytes(), durable.PermFile, nil)
		}
		if err != nil {
			return "", 0, cli.Fail(cli.Failed, err, "name a new folder")
		}
	}
	return o.To, len(list), nil
}
