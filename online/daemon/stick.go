package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"coldkms/online"
	"coldkms/shared/bundle"
	"coldkms/shared/durable"
	"coldkms/shared/transport/file"
)

// Folders on the stick for what is handled.
const (
	doneFolder = "done"
	badFolder  = "bad"
)

// settle is how long a file that does not read well is left where it is: it
// may still be being copied.
const settle = 10 * time.Second

// suspect is a file that did not read well, and since when it is as it is.
type suspect struct {
	stamp string
	since time.Time
}

// perRound bounds how many files are taken in one round.
const perRound = 200

// collect imports the results that lie in the drop folder, and moves them
// aside. One that is bad does not stop the others.
func (d *Daemon) collect(ctx context.Context, r *online.Relay, round *Round) error {
	if d.Drop == nil {
		return nil
	}
	if round.Drop = "away"; !d.Drop.Present() {
		if d.once("drop", "the drop folder is away") {
			d.suspects, d.handled = nil, nil
		}
		return nil
	}
	round.Drop = "there"
	d.once("drop", "the drop folder is there")
	files, others, err := d.Drop.List(".kmsres")
	if err != nil {
		return err
	}
	for _, other := range others {
		d.once("file "+other, other+": it is left alone")
	}
	for i, f := range files {
		if i == perRound || ctx.Err() != nil {
			break
		}
		if err := d.take(ctx, r, f, round); err != nil {
			return err
		}
	}
	return nil
}

// take imports one result.
func (d *Daemon) take(ctx context.Context, r *online.Relay, f file.Entry, round *Round) error {
	if d.handled[f.Name] == f.Stamp {
		return nil
	}
	data, err := d.Drop.Get(f.Name, bundle.MaxFile)
	var report online.Imported
	switch {
	case errors.Is(err, durable.ErrTooLarge):
		err = fmt.Errorf("%w: %w", bundle.ErrInvalid, err)
	case err != nil:
		return err
	default:
		err = r.Import(ctx, data, &report)
	}
	for _, note := range report.Notes {
		d.Log.Warn(note, "file", f.Name)
	}
	round.Imported, round.Refused = round.Imported+report.Imported, round.Refused+report.Refused
	d.problems(round, "import", report.Problems)
	switch {
	case err == nil:
		d.Log.Info("imported", "file", f.Name, "signed", report.Imported, "refused", report.Refused, "problems", len(report.Problems))
		delete(d.suspects, f.Name)
		return d.aside(f, doneFolder, "")
	case !isBad(err):
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	return d.suspicious(f, err)
}

// isBad says whether a file will never be imported, however often it is tried.
func isBad(err error) bool {
	for _, e := range []error{bundle.ErrInvalid, online.ErrOtherSigner, online.ErrOtherRequest, online.ErrMismatch} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// suspicious moves a bad file aside when it has not changed for a while.
func (d *Daemon) suspicious(f file.Entry, why error) error {
	if d.suspects == nil {
		d.suspects = make(map[string]suspect)
	}
	seen, known := d.suspects[f.Name]
	if !known || seen.stamp != f.Stamp {
		d.suspects[f.Name] = suspect{f.Stamp, d.Now()}
		return nil
	}
	if d.Now().Sub(seen.since) < settle {
		return nil
	}
	d.Log.Error("a file on the stick is bad", "file", f.Name, "error", why.Error())
	delete(d.suspects, f.Name)
	return d.aside(f, badFolder, fmt.Sprintf("%s was not taken: %v\nNothing of it was used. Copy it once more, or sign the request again: the signer gives the same bytes.", f.Name, why))
}

// aside moves a file away. Where that cannot be, it is remembered as handled.
func (d *Daemon) aside(f file.Entry, folder, reason string) error {
	_, err := d.Drop.Aside(f.Name, folder, reason)
	if err != nil {
		if d.handled == nil {
			d.handled = make(map[string]string)
		}
		d.handled[f.Name] = f.Stamp
	}
	return err
}

// place puts every request that waits for its result onto the stick, and a
// new one for what is prepared. So a lost stick needs nothing but another
// one.
func (d *Daemon) place(ctx context.Context, r *online.Relay, round *Round) error {
	if d.Drop == nil || !d.Drop.Present() {
		return nil
	}
	waiting, err := r.Unanswered(ctx)
	if err != nil {
		return err
	}
	if err := d.clear(r, waiting); err != nil {
		return err
	}
	for _, w := range waiting {
		if err := d.put(w.Name, w.File); err != nil {
			return err
		}
		if err := r.Wrote(ctx, w.Digest); err != nil {
			return err
		}
	}
	return d.export(ctx, r, round)
}

func (d *Daemon) export(ctx context.Context, r *online.Relay, round *Round) error {
	if !d.exported.IsZero() && d.Now().Sub(d.exported) < d.Every {
		return nil
	}
	n, err := r.Prepared(ctx, 0, d.IDs)
	if err != nil || n == 0 {
		return err
	}
	d.exported = d.Now()
	got, err := r.Export(ctx, online.ExportOptions{IDs: d.IDs, Max: d.Max, Put: func(name string, data []byte) (string, error) { return name, d.put(name, data) }})
	d.problems(round, "export", got.Problems)
	if got.Request != nil {
		round.Exported = got.Items
	}
	return err
}

// put writes a request. A file of that name that is not the same is torn, for
// names say what is in them: it is moved aside and written anew.
func (d *Daemon) put(name string, data []byte) error {
	w, err := d.Drop.Put(name, data)
	if errors.Is(err, file.ErrExists) {
		if _, err := d.Drop.Aside(name, badFolder, name+" was not what had been written: the stick is failing, or somebody changed it. It was written anew."); err != nil {
			return err
		}
		d.Log.Error("a request on the stick was not what had been written", "file", name)
		w, err = d.Drop.Put(name, data)
	}
	if err == nil && !w.Before {
		d.Log.Info("request on the stick", "file", name, "bytes", len(data), "readBackFromMedium", w.Direct)
	}
	return err
}

// clear moves aside the requests of this relay that have their results.
func (d *Daemon) clear(r *online.Relay, waiting []online.Unanswered) error {
	files, _, err := d.Drop.List(".kmsreq")
	if err != nil {
		return err
	}
	wanted := make(map[string]bool)
	for _, w := range waiting {
		wanted[w.Name] = true
	}
	for _, f := range files {
		if wanted[f.Name] || d.handled[f.Name] == f.Stamp {
			continue
		}
		data, err := d.Drop.Get(f.Name, bundle.MaxFile)
		if err != nil {
			return err
		}
		digest, ours := r.Made(data)
		for _, w := range waiting { // a copy under another name
			ours = ours && w.Digest != digest
		}
		if !ours {
			continue
		}
		if err := d.aside(f, doneFolder, ""); err != nil {
			return err
		}
	}
	return nil
}
