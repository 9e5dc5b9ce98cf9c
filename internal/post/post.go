// Package post turns one Markdown file into one Post. It reads the front
// matter of the common site generators (Hugo, Jekyll, Eleventy, Astro, Hexo,
// Zola), finds dates, names, terms and a summary, and renders the body to
// clean HTML. It knows nothing of other posts, of storage or of feeds.
package post

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// MaxBytes is the greatest size of a post's file unless Options say
// otherwise. Ask for the size before reading a file into memory.
const MaxBytes = 10 << 20

// ErrNotPost says that a file is none of the posts: it has neither front
// matter nor a date in its name, or it is the page of a section.
var ErrNotPost = errors.New("not a post")

// Options say how a file is to be understood.
type Options struct {
	Location *time.Location // zone of dates that name none; nil: UTC
	MaxBytes int            // greatest size of the file; 0: MaxBytes
	Hash     string         // hex SHA-256 of the file, if the caller has it already; ""
}

// A Post is what one file says. It is immutable after Parse.
type Post struct {
	File     string // slash-separated path below the posts directory
	Hash     string // hex SHA-256 of the whole file
	BodyHash string // hex SHA-256 of the body alone: knows a renamed file whose front matter was touched

	GUID    string   // explicit id or guid; "" if none
	Title   string   // plain text; "" for an untitled post
	Slug    string   // last element of the post's address; never ""
	Link    string   // explicit permalink, url or path: "/a/b/" or an absolute URL; "" if none
	Aliases []string // former addresses, each starting with "/"

	Published time.Time // in the site's zone unless the file names another; may lie in the future; zero only if Hidden
	Updated   time.Time // declared last modification; zero if none
	Expires   time.Time // zero: never
	Hidden    string    // why the post is not to be published ("draft", "published: false", …); "" if it is

	Categories []string // display names in file order, one per term key
	Tags       []string
	Authors    []string
	Language   string // BCP 47, e.g. "zh-CN"; "" means the site's
	Image      string // address of its picture as written; "" if none
	ImageAlt   string // what the picture shows, in plain text; ""
	ImageSize  Size   // of the picture as declared
	Enclosure  Enclosure
	Comments   string // address of the page where people discuss it, as written; "" if none
	Summary    string // plain text, at most about 160 characters
	FullText   *bool  // the post's own choice between full text and summary in feeds; nil: the feed's

	Announce string // "": mailed once; Hold: not for now; "again…": once more, for each new value
	Pinned   bool   // first in the mails it is in
	Minutes  int    // to read it, rounded up; 0 for an empty one

	BodyStart int // where the body begins in the text of the file, in bytes
	BodySize  int // of the body without the blanks around it, in bytes

	// Only Parse sets these two; a post that is kept does without them.
	Body   string         // source after the front matter
	Params map[string]any // front matter that has no field here; keys in lower case
}

// Size is that of a picture in pixels; 0 if it is not known.
type Size struct{ Width, Height int }

// An Enclosure is a recording that belongs to a post, such as an episode of a
// podcast.
type Enclosure struct {
	URL      string        // as written: absolute, from the root of the site, or beside the post; "" if none
	Type     string        // declared media type; ""
	Length   int64         // in bytes, as declared; 0: unknown
	Duration time.Duration // 0: unknown
}

// ErrOtherFile says that bytes are not those a post was made of.
var ErrOtherFile = errors.New("the file holds something else now")

// ReadBody gives the Body of a post that lacks it, from the bytes of its file.
// The error is ErrOtherFile if they are other bytes.
func (p *Post) ReadBody(src []byte) (string, error) {
	if hexSum(src) != p.Hash {
		return "", fmt.Errorf("%s: %w", p.File, ErrOtherFile)
	}
	r := &reader{file: p.File, opt: Options{MaxBytes: max(MaxBytes, len(src))}}
	text, err := r.decode(src)
	if err != nil || p.BodyStart > len(text) {
		return "", fmt.Errorf("%s: read the body: %w", p.File, errors.Join(err, ErrOtherFile))
	}
	return text[p.BodyStart:], nil
}

// A Problem is something the maintainer should know about one file.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"` // 1-based; 0 if the problem has no line
	Message string `json:"message"`
	Warning bool   `json:"warning,omitempty"` // true: the post is published all the same
}

func (p Problem) Error() string { return p.String() }

// String gives "file:line: message".
func (p Problem) String() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.File, p.Message)
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message)
}

// Parse understands one file; file is its slash-separated path below the
// posts directory. The problems are warnings: the post stands all the same.
// The error is ErrNotPost, or a Problem that keeps the post from being
// published. The post's Body is a part of src, which must not change from now on.
// Parse never panics, whatever src holds.
func Parse(file string, src []byte, opt Options) (*Post, []Problem, error) {
	if opt.Location == nil {
		opt.Location = time.UTC
	}
	if opt.MaxBytes == 0 {
		opt.MaxBytes = MaxBytes
	}
	name := parseName(file)
	if name.section {
		return nil, nil, fmt.Errorf("%s: %w: it is the page of a section", file, ErrNotPost)
	}
	room, _ := rooms.Get().(*nodeRoom)
	if room == nil {
		room = new(nodeRoom)
	}
	defer rooms.Put(room)
	defer room.leave()
	r := &reader{file: file, name: name, opt: opt, room: room}
	text, err := r.decode(src)
	if err != nil {
		return nil, nil, err
	}
	found, err := r.frontMatter(text)
	if err != nil {
		return nil, nil, err
	}
	switch start := strings.TrimSpace(text); {
	case start == "":
		return nil, nil, fmt.Errorf("%s: %w: it is empty", file, ErrNotPost)
	case !found && strings.HasPrefix(start, "#+"):
		return nil, nil, r.fail(1, "front matter in Org's own form (#+title:) is not understood; write it as YAML, TOML or JSON")
	}
	if !found && !name.dated() {
		return nil, nil, fmt.Errorf("%s: %w: it has neither front matter nor a date in its name", file, ErrNotPost)
	}
	p, err := r.post()
	if err != nil {
		return nil, nil, err
	}
	if p.Hash = opt.Hash; p.Hash == "" {
		p.Hash = hexSum(src)
	}
	p.BodyStart = len(text) - len(p.Body)
	p.BodySize = len(strings.TrimSpace(p.Body))
	return p, r.warnings, nil
}

// rooms are used again: no node outlives the reading of its file.
var rooms sync.Pool // of *nodeRoom

// asText and asBytes are the same memory as what they are given, which must not
// change: nearly every file is text as it stands, and need not be copied.
func asText(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func asBytes(text string) []byte { return unsafe.Slice(unsafe.StringData(text), len(text)) }

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
