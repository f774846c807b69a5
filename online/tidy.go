package online

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"coldkms/online/journal"
	"coldkms/shared/bundle"
	"coldkms/shared/interop"
	"coldkms/shared/transport/file"
)

// Folders on a stick for requests that are not to be signed any more.
const (
	DoneFolder = "done" // what nothing waits for
	VoidFolder = "void" // what must not be signed
)

// Made is a file of a Request that this relay made.
type Made struct {
	Digest bundle.Digest
	Name   string // under which it is placed
	Spent  bool   // nothing waits for its result any more
	Void   string // why it must not be signed any more, "" if it may, or nothing of it is unwanted
	Done   string // what became of it otherwise
}

// Made reads a file that may hold a Request. It returns the zero value if the
// journal does not have that Request.
func (r *Relay) Made(ctx context.Context, data []byte, waiting []bundle.Digest) (Made, error) {
	req, err := bundle.OpenRequest(data)
	if err != nil || req.Relay != r.identity.Public() {
		return Made{}, nil
	}
	fate, known, err := r.journal.FateOf(ctx, req.Digest)
	if err != nil || !known {
		return Made{}, err
	}
	return Made{
		Digest: req.Digest, Name: fileName(req), Spent: !slices.Contains(waiting, req.Digest),
		Void: fate.Void, Done: doneWords(fate),
	}, nil
}

// doneWords say what became of a request that nothing waits for.
func doneWords(f journal.Fate) string {
	switch {
	case f.Answered && f.Signed == f.Items:
		return "has its result"
	case f.Answered:
		return fmt.Sprintf("has its result (%d of %d items signed)", f.Signed, f.Items)
	case f.Signed == f.Items:
		return "is done: what it holds was signed in another way"
	}
	return "was replaced by a newer request: sign that one"
}

// VoidReason is what lies beside a request that is void.
func VoidReason(name, why string) string {
	return fmt.Sprintf("%s must not be signed any more: item %s.\n"+
		"Destroy it, all its copies, and its result if there is one. "+
		"What else it holds, and is not signed, is in a new request.", name, why)
}

// Bounds of what is read from a folder to be tidied.
const (
	maxTidied      = 200 // files
	maxTidiedBytes = 4 * bundle.MaxFile
)

// Tidy moves aside the requests of this relay in a folder that nothing waits for,
// or that must not be signed any more: a person signs what lies there. It returns what
// to tell people. Files of others stay. formats are those of other signers, whose
// files are moved aside in the same way.
func (r *Relay) Tidy(ctx context.Context, dir string, formats ...interop.Format) (notes []string, err error) {
	media := file.Of(r.FS, filepath.Join(dir, "request"))
	notes, err = r.tidyRequests(ctx, media)
	if err != nil {
		return notes, err
	}
	more, err := r.tidyForeign(ctx, media, formats)
	return append(notes, more...), err
}

func (r *Relay) tidyRequests(ctx context.Context, media file.Media) (notes []string, err error) {
	files, _, err := media.List(".kmsreq")
	if err != nil || len(files) == 0 {
		return nil, err
	}
	waiting, err := r.allWaiting(ctx)
	if err != nil {
		return nil, err
	}
	return tidyFiles(media, files, func(data []byte) (Made, error) { return r.Made(ctx, data, waiting) })
}

// tidyFiles moves those of the files aside that made reads as spent.
func tidyFiles(
	media file.Media, files []file.Entry, made func(data []byte) (Made, error),
) (notes []string, err error) {
	var read int64
	for _, f := range files[:min(len(files), maxTidied)] {
		if read += f.Size; read > maxTidiedBytes {
			break
		}
		data, err := media.Get(f.Name, bundle.MaxFile)
		if err != nil {
			continue // signing or importing it reports why
		}
		m, err := made(data)
		if err != nil {
			return notes, err
		}
		if m.Spent {
			notes = append(notes, moveSpent(media, f.Name, m))
		}
	}
	return notes, nil
}

// allWaiting lists the requests that wait for their results, also those that another
// relay is at work with.
func (r *Relay) allWaiting(ctx context.Context) ([]bundle.Digest, error) {
	all, err := r.journal.Waiting(ctx)
	waiting := make([]bundle.Digest, len(all))
	for i, w := range all {
		waiting[i] = w.Digest
	}
	return waiting, err
}

// moveSpent moves one request aside, and returns what to tell people.
func moveSpent(media file.Media, name string, made Made) string {
	if made.Void == "" {
		path, err := media.Aside(name, DoneFolder, "")
		if err != nil {
			return fmt.Sprintf("%s %s; it stays where it is: %v", name, made.Done, err)
		}
		return fmt.Sprintf("%s %s; it is in %s now", name, made.Done, path)
	}
	path, err := media.Aside(name, VoidFolder, VoidReason(name, made.Void))
	if err != nil {
		return fmt.Sprintf("%s must not be signed any more (%s): destroy it: %v", name, made.Void, err)
	}
	return fmt.Sprintf("%s must not be signed any more (%s): it is in %s now; destroy it, all its copies, and its result",
		name, made.Void, path)
}

// putInPlace writes a request. Where a request of this relay that is not to be signed
// any more has its name, that one is moved aside first, and note says so.
func (r *Relay) putInPlace(ctx context.Context, media file.Media, name string, data []byte) (note string, err error) {
	_, err = media.Put(name, data)
	if !errors.Is(err, file.ErrExists) {
		return "", err
	}
	there, unread := media.Get(name, bundle.MaxFile)
	if unread != nil {
		return "", err
	}
	waiting, failed := r.allWaiting(ctx)
	if failed != nil {
		return "", failed
	}
	made, failed := r.Made(ctx, there, waiting)
	if failed != nil || !made.Spent {
		return "", errors.Join(failed, err)
	}
	note = moveSpent(media, name, made)
	_, err = media.Put(name, data)
	return note, err
}
