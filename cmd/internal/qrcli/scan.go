package qrcli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"coldkms/cmd/internal/cli"
	"coldkms/shared/bundle"
	"coldkms/shared/capture"
	"coldkms/shared/capture/camera"
	"coldkms/shared/transport"
)

// Scan receives a file from SOURCE and tells a person how far it is: a line on
// stderr that is drawn over, on a terminal, and a bell at the end. only names the
// file, as Name does, where the pictures of a folder hold several. checkPSBT
// returns why a PSBT cannot be read. Errors have their exit code.
func Scan(
	ctx context.Context, source, only string, stdin io.Reader, stderr io.Writer, checkPSBT func([]byte) error,
) (transport.Payload, error) {
	src, closer, live, err := Source(source, stdin)
	if err != nil {
		return transport.Payload{}, explain(err)
	}
	defer closer.Close()
	line := progressLine(stderr)
	tell := func(s Status) { line.show(s.String()) }
	var payload transport.Payload
	if live || source == "-" { // goes on for as long as nobody ends it
		payload, err = Receive(ctx, src, live, tell)
	} else {
		payload, err = ReceiveOnly(ctx, src, only, tell)
	}
	line.show("")
	if err != nil {
		return payload, explain(err)
	}
	line.bell()
	ending := Ending(payload)
	if ending == ".psbt" {
		if err := checkPSBT(payload.Bytes); err != nil {
			return payload, cli.Fail(cli.BadBundle, fmt.Errorf("the symbols hold a PSBT that cannot be read: %w", err),
				"have it shown again by the program that made it")
		}
	}
	if bundle.IsWallet(payload.Bytes) {
		return payload, cli.Fail(cli.BadBundle, fmt.Errorf("the symbols hold a wallet: %w", bundle.ErrWallet), "")
	}
	if ending == "" {
		return payload, cli.Fail(cli.BadBundle,
			fmt.Errorf("the symbols hold something (%d bytes as %s) which nothing here reads", len(payload.Bytes), payload.Kind),
			"show a request, a result, a watch file, a relay's identity, or a PSBT")
	}
	return payload, nil
}

// ScanText reads the text of one symbol, such as an address.
func ScanText(ctx context.Context, source string, stdin io.Reader) (string, error) {
	src, closer, live, err := Source(source, stdin)
	if err != nil {
		return "", explain(err)
	}
	defer closer.Close()
	text, err := ReceiveText(ctx, src, live)
	return text, explain(err)
}

// explain adds an exit code and a hint to an error.
func explain(err error) error {
	var several *SeveralError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &several):
		return cli.Fail(cli.BadBundle, err, "nothing was taken: put the pictures of each file into a folder of its own")
	case errors.Is(err, camera.ErrNone):
		return cli.Fail(cli.Failed, err,
			"name what to read: a camera such as /dev/video1, a folder, a picture, a GIF, or - for a stream: ffmpeg … -f mjpeg - | kms-offline scan -")
	case errors.Is(err, capture.ErrFormat), errors.Is(err, capture.ErrSize):
		return cli.Fail(cli.BadBundle, err, "")
	case errors.Is(err, ErrIncomplete), errors.Is(err, ErrNoSymbol):
		return cli.Fail(cli.BadBundle, err,
			"let it run longer, nearer, or with smaller symbols: docs/QR.md has the distances")
	case errors.Is(err, ErrTooMuch):
		return cli.Fail(cli.BadBundle, err, "show fewer or smaller pictures, with the symbol large in them")
	case errors.Is(err, transport.ErrMixed):
		return cli.Fail(cli.BadBundle, err, "nothing was taken: have only one file shown, and run the same command again")
	case errors.Is(err, transport.ErrForeign):
		return cli.Fail(cli.BadBundle, err, "")
	}
	return cli.Fail(cli.Failed, err, "")
}

// drawn is a line on a terminal that is drawn over; elsewhere it is silent.
type drawn struct{ to *os.File }

func progressLine(w io.Writer) drawn {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return drawn{f}
	}
	return drawn{}
}

func (d drawn) show(text string) {
	if d.to != nil {
		fmt.Fprintf(d.to, "\r\x1b[K%s", cli.Printable(text))
	}
}

func (d drawn) bell() {
	if d.to != nil {
		fmt.Fprint(d.to, "\a")
	}
}
