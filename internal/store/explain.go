package store

import (
	"context"
	"time"
)

// EditionPost is a post that an edition mails.
type EditionPost struct {
	PostID    int64
	File      string
	Title     string
	Published time.Time
	In        bool // it is in the group that was asked for
}

// Explaining tells what decides whether one person gets an edition.
type Explaining interface {
	// DeliveriesTo gives a person's deliveries of a newsletter's editions, the
	// newest edition first.
	DeliveriesTo(ctx context.Context, subscriberID int64, newsletter string) ([]Delivery, error)
	// Had gives which of some posts a person has from a newsletter, or has
	// under way: what planning tells an Audience as Seen. Each comes with the
	// newest edition that holds it for them.
	Had(ctx context.Context, subscriberID int64, newsletter string, posts []int64) (map[int64]int64, error)
	// EditionPosts gives the posts of an edition: first those of one of its
	// groups, in the order of the mail, then the others, newest first.
	// ErrNotFound if there is no such edition.
	EditionPosts(ctx context.Context, editionID int64, group int) ([]EditionPost, error)
}
