package web

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	lru "github.com/hashicorp/golang-lru/v2"

	"tidings/internal/publish"
)

// A reply is all that can be sent about one document, with the values of its
// headers made once.
type reply struct {
	doc      *publish.Document
	modified []string
	links    []string // nil: none
	types    [2][]string
	plain    *form
	small    [len(squeezed)]lazyForm // in the order of squeezed
	presses  *presses
}

// A form is one coding of a document.
type form struct {
	tag    []string
	coding []string // nil: the bytes as they are
	length []string
	body   []byte
}

// A lazyForm is made when it is first asked for.
type lazyForm struct {
	made atomic.Pointer[form]
	once sync.Once
}

func newReply(doc *publish.Document, links []string, p *presses) *reply {
	return &reply{
		doc: doc, links: links, presses: p,
		modified: []string{doc.Modified.UTC().Format(http.TimeFormat)},
		types:    [2][]string{{doc.MediaType}, {shownType(doc.MediaType)}},
		plain:    newForm(doc.ETag(), "", doc.Bytes()),
	}
}

func newForm(tag, coding string, body []byte) *form {
	f := &form{tag: []string{tag}, length: []string{strconv.Itoa(len(body))}, body: body}
	if coding != "" {
		f.tag[0] = strings.TrimSuffix(tag, `"`) + "-" + coding + `"`
		f.coding = []string{coding}
	}
	return f
}

// shownType is the media type for a person who opens a document in a browser:
// browsers show XML and JSON by their plain names and download feeds.
func shownType(mediaType string) string {
	if essence, _, _ := strings.Cut(mediaType, ";"); strings.HasSuffix(essence, "json") {
		return "application/json; charset=utf-8"
	}
	return "application/xml; charset=utf-8"
}

func (p *reply) mediaType(r *http.Request) []string {
	if dest := r.Header["Sec-Fetch-Dest"]; len(dest) > 0 && dest[0] == "document" {
		return p.types[1]
	}
	return p.types[0]
}

// worthSqueezing is the size below which compression saves no packet.
const worthSqueezing = 1024

// form is the best there is for a client. What takes long is made in the
// background, so that nobody waits for it: until then there is gzip, or the
// document as it is.
func (p *reply) form(r *http.Request) *form {
	fields := r.Header["Accept-Encoding"]
	if len(fields) == 0 || len(p.plain.body) < worthSqueezing {
		return p.plain
	}
	best := accepted(fields)
	for _, i := range best {
		if made := p.small[i].made.Load(); made != nil {
			return made
		}
	}
	if len(best) == 0 {
		return p.plain
	}
	p.presses.order(p)
	for _, i := range best {
		if squeezed[i] == "gzip" {
			return p.make(i)
		}
	}
	return p.plain
}

// make gives the form in one coding, made at the first call; the plain one if
// it would be no smaller.
func (p *reply) make(i int) *form {
	lazy := &p.small[i]
	lazy.once.Do(func() {
		made := p.plain
		if b, err := publish.Compress(squeezed[i], p.plain.body); err == nil && len(b) < len(p.plain.body) {
			made = newForm(p.plain.tag[0], squeezed[i], b)
		}
		lazy.made.Store(made)
	})
	return lazy.made.Load()
}

// squeezedBefore reports whether anybody asked for a compressed form.
func (p *reply) squeezedBefore() bool {
	for i := range p.small {
		if p.small[i].made.Load() != nil {
			return true
		}
	}
	return false
}

// presses compress documents in the background, one after the other, and rest
// when there is nothing to do.
type presses struct {
	mu      sync.Mutex
	waiting []*reply
	ordered map[*reply]bool
	busy    bool
}

// order has every form of a document made; twice is once.
func (p *presses) order(r *reply) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ordered[r] {
		return
	}
	if p.ordered == nil {
		p.ordered = map[*reply]bool{}
	}
	p.ordered[r] = true
	p.waiting = append(p.waiting, r)
	if !p.busy {
		p.busy = true
		go p.run()
	}
}

func (p *presses) run() {
	for {
		p.mu.Lock()
		if len(p.waiting) == 0 {
			p.busy = false
			p.mu.Unlock()
			return
		}
		r := p.waiting[0]
		p.waiting = p.waiting[1:]
		p.mu.Unlock()
		for i := range squeezed {
			r.make(i)
		}
		p.mu.Lock()
		delete(p.ordered, r)
		p.mu.Unlock()
	}
}

// shelves gives the replies of the set that is published now.
type shelves struct {
	current atomic.Pointer[shelf]
	links   func(*publish.Document) []string
	presses presses
}

// A shelf holds the replies of one set, each made when it is first wanted.
type shelf struct {
	set     *publish.Set
	replies sync.Map // *publish.Document → *reply
	all     *shelves
}

// of gives the shelf of a set. A new one takes over what did not change, and
// has what changed compressed again where anybody had asked for it.
func (x *shelves) of(set *publish.Set) *shelf {
	old := x.current.Load()
	if old != nil && old.set == set {
		return old
	}
	next := &shelf{set: set, all: x}
	if old != nil {
		old.replies.Range(func(_, value any) bool {
			r := value.(*reply)
			switch doc := set.Lookup(r.doc.Path); {
			case doc == r.doc:
				next.replies.Store(doc, r)
			case doc != nil && r.squeezedBefore():
				x.presses.order(next.of(doc))
			}
			return true
		})
	}
	if !x.current.CompareAndSwap(old, next) {
		return x.of(set)
	}
	return next
}

func (s *shelf) of(doc *publish.Document) *reply {
	if r, ok := s.replies.Load(doc); ok {
		return r.(*reply)
	}
	r, _ := s.replies.LoadOrStore(doc, newReply(doc, s.all.links(doc), &s.all.presses))
	return r.(*reply)
}

// queriedReplies keeps the replies of the last feeds asked for by query.
type queriedReplies struct {
	kept    *lru.Cache[*publish.Document, *reply]
	presses *presses
}

// maxQueried is how many documents of such feeds are kept.
const maxQueried = 100

func newQueriedReplies(p *presses) queriedReplies {
	kept, _ := lru.New[*publish.Document, *reply](maxQueried) // fails for a size of none alone
	return queriedReplies{kept, p}
}

func (q queriedReplies) of(doc *publish.Document) *reply {
	if r, ok := q.kept.Get(doc); ok {
		return r
	}
	r := newReply(doc, nil, q.presses)
	q.kept.Add(doc, r)
	return r
}
