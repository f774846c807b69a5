package online

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"coldkms/shared/bundle"
	"coldkms/shared/transport/file"
)

// Folders on a stick for requests that are not to be signed any more.
const (
	DoneFolder = "done" // what has its result
	VoidFolder = "void" // what must not be signed
)

// Made is a file of a Request that this relay made.
type Made struct {
	Digest bundle.Digest
	Name   string // under which it is placed
	Spent  bool   // nothing waits for its result any more
	Void   string // why it must not be signed any more, "" if it may, or has its result
}

// Made reads a file that may hold a Request. It returns the zero value if the
// journal does not have that Request.
func (r *Relay) Made(ctx context.Context, data []byte, waiting []bundle.Digest) (Made, error) {
	req, err := bundle.OpenRequest(data)
	if err != nil || req.Relay != r.identity.Public() {
		return Made{}, nil
	}
	why, known, err := r.journal.WhyVoid(ctx, req.Digest)
	if err != nil || !known {
		return Made{}, err
	}
	return Made{req.Digest, fileName(req), !slices.Contains(waiting, req.Digest), why}, nil
}

// VoidReason is what lies beside a request that is void.
func VoidReason(name, why string) string {
	return fmt.Sprintf("%s must not be signed any more: item %s.\n"+
		"Destroy it, all its copies, and its result if there is one. "+
		"What else it holds is in a new request.", name, why)
}

// Bounds of what is read from a folder to be tidied.
const (
	tidyFiles = 200
	tidyBytes = 4 * bundle.MaxFile
)

// Tidy moves aside the requests of this relay in a folder that have their results,
// or must not be signed any more: a person signs what lies there. It returns what
// to tell people. Files of others stay.
func (r *Relay) Tidy(ctx context.Context, dir string) (notes []string, err error) {
	media := file.Of(r.FS, filepath.Join(dir, "request"))
	files, _, err := media.List(".kmsreq")
	if err != nil || len(files) == 0 {
		return nil, err
	}
	all, err := r.journal.Waiting(ctx) // also what another relay is at work with
	if err != nil {
		return nil, err
	}
	waiting := make([]bundle.Digest, len(all))
	for i, w := range all {
		waiting[i] = w.Digest
	}
	var read int64
	for _, f := range files[:min(len(files), tidyFiles)] {
		if read += f.Size; read > tidyBytes {
			break
		}
		data, err := media.Get(f.Name, bundle.MaxFile)
		if err != nil {
			continue // whoever signs or imports it says why
		}
		made, err := r.Made(ctx, data, waiting)
		if err != nil {
			return notes, err
		}
		if made.Spent {
			notes = append(notes, moveSpent(media, f.Name, made))
		}
	}
	return notes, nil
}

// moveSpent moves one request aside, and returns what to tell people.
func moveSpent(media file.Media, name string, made Made) string {
	if made.Void == "" {
		path, err := media.Aside(name, DoneFolder, "")
		if err != nil {
			return fmt.Sprintf("%s has its result, and stays where it is: %v", name, err)
		}
		return fmt.Sprintf("%s has its result, and is in %s now", name, path)
	}
	path, err := media.Aside(name, VoidFolder, VoidReason(name, made.Void))
	if err != nil {
		return fmt.Sprintf("%s must not be signed any more (%s): destroy it: %v", name, made.Void, err)
	}
	return fmt.Sprintf("%s must not be signed any more (%s): it is in %s now; destroy it, all its copies, and its result",
		name, made.Void, path)
}
