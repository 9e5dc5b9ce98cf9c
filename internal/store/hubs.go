package store

import "context"

// Hubs remembers what WebSub hubs were told.
type Hubs interface {
	// LoadAnnounced gives the hash of every document that a hub knows of, by
	// path; empty for a hub that was never told anything.
	LoadAnnounced(ctx context.Context, hub string) (map[string]string, error)
	// SaveAnnounced adds or replaces, all or none.
	SaveAnnounced(ctx context.Context, hub string, hashes map[string]string) error
}
