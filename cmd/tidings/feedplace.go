package main

import (
	"context"
	"errors"

	"tidings/internal/config"
	"tidings/internal/publish"
	"tidings/internal/publish/bucket"
)

// A feedWriter makes a place hold one set of feeds after the other: a folder
// or a bucket.
type feedWriter interface {
	Write(context.Context, *publish.Set) (publish.WriteReport, error)
	Close() error
}

// openPlace gives a writer to feeds.dir, or to what stands for it.
func openPlace(ctx context.Context, place string, codings []string) (feedWriter, error) {
	if config.IsAddress(place) {
		return bucket.Open(ctx, place, codings)
	}
	w, err := publish.NewWriter(place, codings)
	if err != nil {
		return nil, err // not a nil *publish.Writer, which is not a nil feedWriter
	}
	return w, nil
}

// writeOnce makes a place hold one set.
func writeOnce(ctx context.Context, place string, set *publish.Set, codings []string) (publish.WriteReport, error) {
	w, err := openPlace(ctx, place, codings)
	if err != nil {
		return publish.WriteReport{}, err
	}
	report, err := w.Write(ctx, set)
	return report, errors.Join(err, w.Close())
}
