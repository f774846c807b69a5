package online

import (
	"context"
	"fmt"
	"slices"

	"coldkms/online/journal"
	"coldkms/shared/bundle"
	"coldkms/shared/interop"
	"coldkms/shared/transport/file"
)

// tidyForeign moves aside the files for other signers that are not to be signed any
// more. What such a signer has signed stays: it is imported.
func (r *Relay) tidyForeign(
	ctx context.Context, media file.Media, formats []interop.Format,
) (notes []string, err error) {
	if len(formats) == 0 {
		return nil, nil
	}
	files, _, err := media.List(".psbt")
	if err != nil || len(files) == 0 {
		return nil, err
	}
	im := r.Importer(&Imported{}, formats...)
	if err := im.index(ctx); err != nil {
		return nil, err
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
		spent, made, err := im.spent(ctx, data)
		if err != nil {
			return notes, err
		}
		if spent {
			notes = append(notes, moveSpent(media, f.Name, made))
		}
	}
	return notes, nil
}

// spent reports whether a file for another signer asks for a transaction that none
// of its items waits for, and says in made why.
func (im *Importer) spent(ctx context.Context, data []byte) (spent bool, made Made, err error) {
	for _, format := range im.formats {
		a, err := format.Read(data)
		if err != nil || a == nil || a.Signed() {
			continue // another's, or to be imported
		}
		ids, err := im.relay.journal.AskedFor(ctx, a.UnsignedID())
		if err != nil || len(ids) == 0 {
			return false, made, err
		}
		items, err := im.relay.journal.Items(ctx, journal.Filter{IDs: ids})
		if err != nil || slices.ContainsFunc(items, waits) {
			return false, made, err
		}
		for _, it := range items {
			if slices.Contains(sendable, it.State) { // it has its signature
				return true, Made{}, nil
			}
			made.Void = fmt.Sprintf("%s: %s", it.ID, it.State)
			if it.Withheld != "" {
				made.Void += ", " + string(it.Withheld)
			}
		}
		return true, made, nil
	}
	return false, made, nil
}

// waits reports whether an item is to be signed, or may be once it has been looked
// at.
func waits(it journal.Item) bool {
	return slices.Contains(open, it.State) && (!withdrawn(it) || slices.Contains(byRestore, it.Withheld))
}
