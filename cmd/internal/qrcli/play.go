package qrcli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"coldkms/cmd/internal/cli"
	"coldkms/shared/qr"
	"coldkms/shared/qr/show"
	"coldkms/shared/transport"
)

// help is shown below the symbol.
const help = "q done   space pause   + - speed   > < density"

// Play shows a file on a terminal until a key says that the other side has it.
// Keys change speed and density while it runs.
func (o Options) Play(ctx context.Context, tty *os.File, title string, file []byte) error {
	if err := o.check(); err != nil {
		return err
	}
	p := &player{options: o, file: file, tty: tty, title: title}
	if err := p.begin(); err != nil {
		return err
	}
	state, err := term.MakeRaw(int(tty.Fd()))
	if err != nil {
		return cli.Fail(cli.Usage, fmt.Errorf("this terminal cannot show symbols: %w", err),
			"show it as a file: --qr-out FILE.html")
	}
	fmt.Fprint(tty, "\x1b[?25l\x1b[2J") // no cursor, an empty screen
	defer func() {
		fmt.Fprint(tty, "\x1b[?25h\x1b[2J\x1b[H")
		_ = term.Restore(int(tty.Fd()), state)
	}()
	return p.run(ctx, keys(ctx, tty))
}

type player struct {
	options Options
	file    []byte
	tty     *os.File
	title   string

	style show.Style
	pace  show.Pace
	enc   transport.Encoder
	ahead *qr.Ahead
	n     int // parts shown
	pause bool
}

// styles by the names of --style.
func styleOf(name string) (show.Style, error) {
	switch name {
	case "":
		if term := os.Getenv("TERM"); strings.Contains(term, "256color") ||
			strings.Contains(os.Getenv("COLORTERM"), "truecolor") || strings.HasPrefix(term, "xterm") {
			return show.Coloured, nil
		}
		return show.OnDark, nil
	case "coloured":
		return show.Coloured, nil
	case "dark":
		return show.OnDark, nil
	case "light":
		return show.OnLight, nil
	case "hash-dark":
		return show.HashOnDark, nil
	case "hash-light":
		return show.HashOnLight, nil
	}
	return show.Unknown, cli.Fail(cli.Usage, fmt.Errorf("--style is coloured, dark, light, hash-dark or hash-light"), "")
}

// begin chooses a pace for the screen.
func (p *player) begin() (err error) {
	if p.style, err = styleOf(p.options.Style); err != nil {
		return err
	}
	columns, rows, err := term.GetSize(int(p.tty.Fd()))
	if err != nil {
		return cli.Fail(cli.Usage, err, "show it as a file: --qr-out FILE.html")
	}
	pace, fits := show.Terminal(columns, rows-2, p.style)
	if !fits {
		return cli.Fail(cli.Usage, fmt.Errorf("no symbol fits a terminal of %d by %d characters", columns, rows),
			"make the window larger, its letters smaller, or show it as a file: --qr-out FILE.html")
	}
	p.pace = pace
	if p.options.Density > 0 {
		p.pace.Version = p.options.Density
	}
	if p.options.Rate > 0 {
		p.pace.Rate = p.options.Rate
	}
	return p.encode()
}

// encode begins anew with symbols of the pace's density. To the other side
// that is another stream.
func (p *player) encode() error {
	enc, err := p.options.encoder(p.file, p.pace.Version)
	if err != nil {
		return err
	}
	if p.ahead != nil {
		p.ahead.Close()
	}
	version := p.pace.Version
	if enc.Parts() == 1 {
		version = 0
	}
	p.enc, p.n, p.ahead = enc, 0, qr.NewAhead(enc.Next, version)
	fmt.Fprint(p.tty, "\x1b[2J")
	return nil
}

func (p *player) run(ctx context.Context, pressed <-chan byte) error {
	defer func() { p.ahead.Close() }()
	for {
		if !p.pause {
			if err := p.step(); err != nil {
				return err
			}
		}
		wait := time.NewTimer(p.pace.Each())
		select {
		case <-ctx.Done():
			return ctx.Err()
		case key, open := <-pressed:
			if done, err := p.key(key, open); done || err != nil {
				return err
			}
		case <-wait.C:
		}
		wait.Stop()
	}
}

// step shows the next symbol.
func (p *player) step() error {
	m, err := p.ahead.Next()
	if err != nil {
		return err
	}
	p.n++
	text := strings.ReplaceAll(show.Text(m, p.style), "\n", "\r\n")
	_, err = io.WriteString(p.tty, "\x1b[H"+text+p.state())
	return err
}

func (p *player) state() string {
	of := p.enc.Parts()
	return fmt.Sprintf("\x1b[K%s: part %d, %d are enough   %d a second\x1b[K\r\n%s\x1b[K", cli.Printable(p.title), p.n,
		of, p.pace.Rate, help)
}

// key does what a key says. The input's end is as good as q.
func (p *player) key(key byte, open bool) (done bool, err error) {
	if !open {
		return true, nil
	}
	pace := p.pace
	switch key {
	case 'q', 'Q', '\r', '\n', 3, 4: // also Ctrl-C and Ctrl-D: the file is where it was
		return true, nil
	case ' ':
		p.pause = !p.pause
	case '+':
		p.pace = pace.Faster()
	case '-':
		p.pace = pace.Slower()
	case '>':
		return false, p.dense(pace.Denser())
	case '<':
		return false, p.dense(pace.Sparser())
	}
	return false, nil
}

// dense changes the density where the screen and the file allow it.
func (p *player) dense(pace show.Pace) error {
	columns, rows, err := term.GetSize(int(p.tty.Fd()))
	if err != nil {
		return err
	}
	if w, h := show.Size(pace.Version, p.style); w > columns || h > rows-2 || pace.Version == p.pace.Version {
		return nil
	}
	before := p.pace
	p.pace = pace
	if err := p.encode(); err != nil {
		p.pace = before
	}
	return nil
}

// keys reads single keys.
func keys(ctx context.Context, tty io.Reader) <-chan byte {
	out := make(chan byte)
	go func() {
		defer close(out)
		one := make([]byte, 1)
		for {
			if n, err := tty.Read(one); n == 0 || err != nil {
				return
			}
			select {
			case out <- one[0]:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}
