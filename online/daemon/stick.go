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
		d.skip(f)
	}
	return err
}

// skip leaves a file alone until it changes.
func (d *Daemon) skip(f file.Entry) {
	if d.handled == nil || len(d.handled) > maxSaid {
		d.handled = make(map[string]string)
	}
	d.handled[f.Name] = f.Stamp
}

// placed is a request on the stick as it was when it was looked at last.
type placed struct {
	name, stamp string
	looked      time.Time
}

// lookEvery is how often a request on the stick that seems unchanged is read
// back all the same.
const lookEvery = 10 * time.Minute

// place puts every request that waits for its result onto the stick, and a
// new one for what is prepared. So a lost stick needs nothing but another
// one.
func (d *Daemon) place(ctx context.Context, r *online.Relay, round *Round) error {
	if d.Drop == nil || !d.Drop.Present() {
		return nil
	}
	waiting, err := r.Waiting(ctx)
	if err != nil {
		return err
	}
	files, _, err := d.Drop.List(".kmsreq")
	if err != nil {
		return err
	}
	stamps := make(map[string]string, len(files))
	for _, f := range files {
		stamps[f.Name] = f.Stamp
	}
	seen := make(map[bundle.Digest]placed, len(waiting))
	for _, digest := range waiting {
		p := d.placed[digest]
		if p.name == "" || p.stamp != stamps[p.name] || d.Now().Sub(p.looked) >= lookEvery {
			if p, err = d.placeOne(ctx, r, digest, stamps); err != nil {
				return err
			}
		}
		seen[digest] = p
	}
	d.placed = seen
	if err := d.clear(r, files); err != nil {
		return err
	}
	return d.export(ctx, r, round)
}

func (d *Daemon) placeOne(ctx context.Context, r *online.Relay, digest bundle.Digest, stamps map[string]string) (placed, error) {
	w, err := r.Unanswered(ctx, digest)
	if err == nil {
		err = d.put(w.Name, w.File)
	}
	if err == nil {
		err = r.Wrote(ctx, digest)
	}
	return placed{w.Name, stamps[w.Name], d.Now()}, err // just written, it has no stamp yet: it is read once more
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
	got, err := r.Export(ctx, online.ExportOptions{IDs: d.IDs, Max: d.Max, Asked: true, Put: func(name string, data []byte) (string, error) { return name, d.put(name, data) }})
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

// clear moves aside the requests of this relay that have their results. Files
// of others stay.
func (d *Daemon) clear(r *online.Relay, files []file.Entry) error {
	wanted := make(map[string]bool, len(d.placed))
	for _, p := range d.placed {
		wanted[p.name] = true
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
		if _, waits := d.placed[digest]; !ours || waits { // a stranger's, or a copy under another name
			d.skip(f)
			continue
		}
		if err := d.aside(f, doneFolder, ""); err != nil {
			return err
		}
	}
	return nil
}
