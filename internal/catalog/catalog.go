// Package catalog keeps the set of all posts: an immutable Snapshot with
// indexes, made from the files of the posts directory and from what the
// database has pinned about each post (its id, its address, its first
// publication, its last good version). A Watcher swaps snapshots as files
// change. It does not render posts and knows nothing of feeds or mail.
package catalog

import (
	"time"

	"tidings/internal/post"
)

// An Entry is a post that readers may see, with its pinned identity. Entries
// are immutable; an entry whose content and identity did not change is the
// same pointer in the next snapshot.
type Entry struct {
	*post.Post

	PostID    int64     // the database's number of the post; 0 while the database cannot be written
	ID        string    // feed id: explicit, adopted or minted once (RFC 4151), never changed
	Path      string    // address on the site, "/posts/slug/"; "" if the address is absolute elsewhere
	URL       string    // absolute address of the post
	Published time.Time // first publication; never moves
	Updated   time.Time // the later of Published and the declared last modification
	FirstSeen time.Time // when the store first held the post
	Changed   time.Time // when the file last changed, as far as is known
	Announced time.Time // when it was told to be mailed again; zero if never
}

// Kind tells the taxonomies apart.
type Kind string

// The taxonomies.
const (
	Category Kind = "category"
	Tag      Kind = "tag"
	Author   Kind = "author"
	Section  Kind = "section" // the folder of the file, as in Hugo
)

// A Term is one category, tag, author or section with the entries that carry it.
type Term struct {
	Kind      Kind
	Key       string   // term.Key of every spelling
	Name      string   // as the configuration writes it, else the most used spelling
	Slug      string   // unique within the kind, also when case is ignored
	Spellings []string // by which posts name it, sorted
	Was       []string // former names, as configured
	Entries   []*Entry // newest first
}

// A Snapshot is the state of the whole store at one instant.
type Snapshot struct {
	Entries    []*Entry // visible posts, newest first; ties by ID, so the order is total
	Categories []*Term  // sorted by Slug; only terms with at least one entry
	Tags       []*Term
	Authors    []*Term                    // empty unless Config.Authors is set
	Sections   []*Term                    // empty unless Config.Sections is set
	Former     map[Kind]map[string]string // slug that a term had or goes without → its present slug
	Retired    map[Kind]map[string]string // slug of a term that has no posts now → its key
	Problems   []post.Problem             // sorted by file and line
	ByPath     map[string]*Entry          // by Entry.Path
	Redirects  map[string]string          // former path or alias → present path
	Next       time.Time                  // when the next post appears or expires; zero: never
	Alarm      *Alarm                     // set while a mass disappearance is not accepted
	Posts      int                        // files that are posts, visible or not
	Held       []Held                     // posts that readers may not see now, by file
	Departed   []*Departed                // posts that left not long ago, the last to leave first
	Gone       map[string]bool            // addresses of posts that left, and that lead nowhere else
}

// Held is a post that readers may not see.
type Held struct {
	*post.Post
	Why   string    // "draft", "dated 2027-01-02 09:00", …
	Until time.Time // when it appears; zero if time alone does not show it
}

// An Alarm says that too many posts vanished at once. What was published
// stays until the posts are back or the loss is accepted.
type Alarm struct {
	Since   time.Time
	Missing []string // files
	Known   int      // posts before
}

// A Change is what a new snapshot brought. All three lists may be empty: then
// only the problems, the alarm or the posts held back differ.
type Change struct {
	Snapshot *Snapshot
	Added    []*Entry // newly visible, newest first
	Changed  []*Entry // as they are now
	Removed  []*Entry // as they were
}
