package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"coldkms/online"
	"coldkms/online/journal"
	"coldkms/shared/bundle"
	"coldkms/shared/durable"
	"coldkms/shared/transport/file"
)

// badFolder is the folder on the stick for what is damaged.
const badFolder = "bad"

// settle is how long a file that does not read well is left where it is: it
// may still be being copied.
const settle = 10 * time.Second

// suspect is a file that did not read well, and since when it is as it is.
type suspect struct {
	stamp string
	since time.Time
}

// What is read from the stick in one pass. The rest is read in the next ones.
const (
	perPass   = 200
	bytesPass = 4 * bundle.MaxFile
)

// reading is what may still be read in a pass.
type reading struct{ files, bytes int64 }

// take reports whether a file may be read in this pass. One that is too large
// is never read.
func (l *reading) take(f file.Entry) bool {
	if l.files >= perPass || l.bytes >= bytesPass {
		return false
	}
	l.files++
	if f.Size <= bundle.MaxFile {
		l.bytes += f.Size
	}
	return true
}

// get reads a file of the stick.
func (d *Daemon) get(f file.Entry) ([]byte, error) {
	var data []byte
	err := fmt.Errorf("read %.100q: %w: %d bytes, at most %d are read", f.Name, durable.ErrTooLarge, f.Size, bundle.MaxFile)
	if f.Size <= bundle.MaxFile {
		data, err = d.Drop.Get(f.Name, bundle.MaxFile)
	}
	if errors.Is(err, durable.ErrTooLarge) {
		err = fmt.Errorf("%w: %w", bundle.ErrInvalid, err)
	}
	return data, err
}

// troubles gathers what concerns one file each.
type troubles struct {
	first error
	more  int
}

// add reports whether the other files are to be tried, too.
func (t *troubles) add(err error) (goOn bool) {
	switch {
	case err == nil:
		return true
	case t.first == nil:
		t.first = err
	default:
		t.more++
	}
	return !errors.Is(err, file.ErrGone) && !errors.Is(err, journal.ErrAway)
}

func (t *troubles) err() error {
	if t.more == 0 {
		return t.first
	}
	return fmt.Errorf("%w (and %d more files)", t.first, t.more)
}

// collect imports the results that lie in the drop folder, and moves them
// aside. Each file is tried by itself: one that is bad, or cannot be read or
// moved, does not stop the others.
func (d *Daemon) collect(ctx context.Context, r *online.Relay, round *Round) error {
	if d.Drop == nil {
		return nil
	}
	if round.Drop = "away"; !d.Drop.Present() {
		if d.once(logDrop, "drop", "the drop folder is away") {
			d.suspects, d.handled = nil, nil
		}
		return nil
	}
	round.Drop = "there"
	d.once(logDrop, "drop", "the drop folder is there")
	files, others, err := d.Drop.List(".kmsres")
	if err != nil {
		return err
	}
	for _, other := range others {
		d.once(logFileIgnored, "file "+other, other+": it is left alone")
	}
	slices.SortStableFunc(files, func(a, b file.Entry) int { return cmp.Compare(online.LedgerLine(a.Name), online.LedgerLine(b.Name)) })
	var limit reading
	var all troubles
	for _, f := range files {
		if d.handled[f.Name] == f.Stamp {
			continue
		}
		if !limit.take(f) || ctx.Err() != nil || !all.add(d.take(ctx, r, f, round)) {
			break
		}
	}
	return all.err()
}

// take imports one result.
func (d *Daemon) take(ctx context.Context, r *online.Relay, f file.Entry, round *Round) error {
	data, err := d.get(f)
	if d.vanished(err) {
		return nil
	}
	var report online.Imported
	if err == nil {
		err = r.Import(ctx, data, &report)
	}
	for _, note := range report.Notes {
		d.Log.Warn(note, "event", logResultNote, "file", f.Name)
	}
	round.Imported, round.Refused = round.Imported+report.Imported, round.Refused+report.Refused
	d.problems(round, "import", report.Problems)
	switch {
	case err == nil:
		d.Log.Info("imported", "event", logImported, "file", f.Name, "signed", report.Imported, "refused", report.Refused, "problems", len(report.Problems))
		delete(d.suspects, f.Name)
		return d.aside(f, online.DoneFolder, "")
	case !isBad(err):
		return fmt.Errorf("%.100q: %w", f.Name, err)
	}
	return d.suspicious(f, err)
}

// isBad reports whether a file will never be imported, however often it is tried.
func isBad(err error) bool {
	for _, e := range []error{bundle.ErrInvalid, online.ErrOtherSigner, online.ErrOtherRequest, online.ErrMismatch, online.ErrUnreadable} {
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
	d.Log.Error("a file on the stick is bad", "event", logFileBad, "file", f.Name, "error", why.Error())
	delete(d.suspects, f.Name)
	return d.aside(f, badFolder, fmt.Sprintf("%s was not taken: %v\nNothing of it was used. Copy it once more, or sign the request again: the signer gives the same bytes.", f.Name, why))
}

// aside moves a file away. Where that cannot be, it is remembered as handled.
func (d *Daemon) aside(f file.Entry, folder, reason string) error {
	_, err := d.Drop.Aside(f.Name, folder, reason)
	if d.vanished(err) {
		return nil
	}
	if err != nil {
		d.skip(f)
	}
	return err
}

// vanished reports whether a file of the stick is not there any more, though the
// stick is: somebody else has moved it, such as a second daemon.
func (d *Daemon) vanished(err error) bool {
	return errors.Is(err, fs.ErrNotExist) && !errors.Is(err, file.ErrGone) && d.Drop.Present()
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
// one. What is not to be signed any more is taken from the stick.
func (d *Daemon) place(ctx context.Context, r *online.Relay, round *Round) error {
	notes, err := r.Recall(ctx)
	for _, note := range notes {
		d.Log.Error(note, "event", logRecalled)
	}
	if err != nil || d.Drop == nil || !d.Drop.Present() {
		return err
	}
	waiting, err := r.Waiting(ctx)
	if err != nil {
		return err
	}
	files, _, err := d.Drop.List(".kmsreq")
	if err != nil {
		return err
	}
	var all troubles
	d.placeAll(ctx, r, files, waiting, &all)
	d.clear(ctx, r, files, waiting, &all)
	return errors.Join(all.err(), d.export(ctx, r, round))
}

// placeAll puts each request onto the stick that is not there as it was
// written.
func (d *Daemon) placeAll(ctx context.Context, r *online.Relay, files []file.Entry, waiting []bundle.Digest, all *troubles) {
	stamps := make(map[string]string, len(files))
	for _, f := range files {
		stamps[f.Name] = f.Stamp
	}
	seen := make(map[bundle.Digest]placed, len(waiting))
	for _, digest := range waiting {
		p := d.placed[digest]
		if p.name == "" || p.stamp != stamps[p.name] || d.Now().Sub(p.looked) >= lookEvery {
			var err error
			if p, err = d.placeOne(ctx, r, digest, stamps); !all.add(err) {
				break
			}
		}
		if p.name != "" {
			seen[digest] = p
		}
	}
	d.placed = seen
}

// placeOne returns the zero value, without an error, for a request that this
// version cannot read: what it holds goes into a new one.
func (d *Daemon) placeOne(ctx context.Context, r *online.Relay, digest bundle.Digest, stamps map[string]string) (placed, error) {
	w, err := r.Unanswered(ctx, digest)
	if errors.Is(err, online.ErrUnreadable) {
		d.Log.Error("what a request holds goes into a new one; a result for the old one is not taken", "event", logAbandoned, "error", err.Error())
		if err := r.Abandon(ctx, digest); err != nil {
			return placed{}, err
		}
		_, err := r.Recall(ctx)
		return placed{}, err
	}
	if err == nil {
		err = d.put(w.Name, w.File)
	}
	if err == nil {
		err = r.Wrote(ctx, digest)
	}
	if err != nil {
		return placed{}, err
	}
	return placed{w.Name, stamps[w.Name], d.Now()}, nil // just written, it has no stamp yet: it is read once more
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
	for _, note := range got.Notes {
		d.Log.Warn(note, "event", logExportNote)
	}
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
		d.Log.Error("a request on the stick was not what had been written", "event", logRewritten, "file", name)
		w, err = d.Drop.Put(name, data)
	}
	if err == nil && !w.Before {
		d.Log.Info("request on the stick", "event", logPlaced, "file", name, "bytes", len(data), "readBackFromMedium", w.Direct)
	}
	return err
}

// clear moves aside the requests of this relay that have their results, and
// those that must not be signed any more. Files of others stay.
func (d *Daemon) clear(ctx context.Context, r *online.Relay, files []file.Entry, waiting []bundle.Digest, all *troubles) {
	names := make(map[string]bool, len(waiting))
	for _, digest := range waiting {
		names[d.placed[digest].name] = true
	}
	var limit reading
	for _, f := range files {
		if names[f.Name] || d.handled[f.Name] == f.Stamp {
			continue
		}
		if !limit.take(f) || !all.add(d.clearOne(ctx, r, f, waiting)) {
			return
		}
	}
}

func (d *Daemon) clearOne(ctx context.Context, r *online.Relay, f file.Entry, waiting []bundle.Digest) error {
	data, err := d.get(f)
	if errors.Is(err, bundle.ErrInvalid) {
		d.once(logFileIgnored, "file "+f.Name, err.Error()+": it is left alone")
		d.skip(f)
		return nil
	}
	if err != nil {
		return err
	}
	made, err := r.Made(ctx, data, waiting)
	if err != nil {
		return err
	}
	if !made.Spent {
		if made.Name != f.Name { // a stranger's, or a copy under another name
			d.skip(f)
		}
		return nil
	}
	if made.Void == "" {
		return d.aside(f, online.DoneFolder, "")
	}
	d.Log.Error("a request on the stick must not be signed any more", "event", logRecalled, "file", f.Name, "why", made.Void)
	if _, err := d.Drop.Aside(f.Name, online.VoidFolder, online.VoidReason(f.Name, made.Void)); err != nil {
		return fmt.Errorf("%s must not be signed any more (%s): destroy it: %w", f.Name, made.Void, err)
	}
	return nil
}
