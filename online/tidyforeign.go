package online

import (
	"context"
	"fmt"
	"slices"

	"coldkms/online/journal"
	"coldkms/shared/interop"
	"coldkms/shared/transport/file"
)

// tidyForeign moves aside the files for other signers that are not to be signed any
// more. What such a signer has signed stays: it is imported.
func (r *Relay) tidyForeign(ctx context.Context, media file.Media, formats []interop.Format) ([]string, error) {
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
	return tidyFiles(media, files, func(data []byte) (Made, error) { return im.made(ctx, data) })
}

// made reads a file for another signer. It is spent if it asks for a transaction
// that none of its items waits for.
func (im *Importer) made(ctx context.Context, data []byte) (made Made, err error) {
	for _, format := range im.formats {
		a, err := format.Read(data)
		if err != nil || a == nil || a.Signed() {
			continue // another's, or to be imported
		}
		ids, err := im.relay.journal.AskedFor(ctx, a.UnsignedID())
		if err != nil || len(ids) == 0 {
			return Made{}, err
		}
		items, err := im.relay.journal.Items(ctx, journal.Filter{IDs: ids})
		if err != nil || slices.ContainsFunc(items, waits) {
			return Made{}, err
		}
		made.Spent = true
		for _, it := range items {
			if slices.Contains(sendable, it.State) { // it has its signature
				return Made{Spent: true, Done: "asks for what is signed"}, nil
			}
			made.Void = fmt.Sprintf("%s: %s", it.ID, it.State)
			if it.Withheld != "" {
				made.Void += ", " + string(it.Withheld)
			}
		}
		return made, nil
	}
	return Made{}, nil
}

// waits reports whether an item is to be signed, or may be once it has been looked
// at.
func waits(it journal.Item) bool {
	return slices.Contains(open, it.State) && (!withdrawn(it) || slices.Contains(byRestore, it.Withheld))
}
