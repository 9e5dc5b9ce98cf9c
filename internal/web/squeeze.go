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
	stale    atomic.Bool // another version took its place
}

// A form is one coding of a document.
type form struct {
	tag    []string
	coding []string // nil: the bytes as they are
	length []string
	body   []byte
}

// A lazyForm is made when it is first wanted.
type lazyForm struct {
	made    atomic.Pointer[form]
	once    sync.Once
	ordered atomic.Bool // in the background
}

// wanted reports whether anybody asked for the form.
func (l *lazyForm) wanted() bool { return l.ordered.Load() || l.made.Load() != nil }

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
// background, so that nobody waits for it: until then there is what another
// client asked for, gzip, or the document as it is.
func (p *reply) form(client acceptance) *form {
	if len(client.codings) == 0 || client.plain && len(p.plain.body) < worthSqueezing {
		return p.plain
	}
	best := client.codings[0]
	if made := p.small[best].made.Load(); made != nil {
		return made
	}
	if squeezed[best] == "gzip" || !client.plain {
		return p.make(best)
	}
	p.presses.order(p, best)
	if made := p.ready(client); made != p.plain || !client.names("gzip") {
		return made
	}
	return p.make(codingNamed("gzip"))
}

// ready is the best form for a client that is made already.
func (p *reply) ready(client acceptance) *form {
	for _, i := range client.codings {
		if made := p.small[i].made.Load(); made != nil {
			return made
		}
	}
	return p.plain
}

// heldTag is the tag of what a client has, which is what the document is: that
// which it sent, if it is one of ours, so that a cache knows its copy again.
func (p *reply) heldTag(r *http.Request) []string {
	if sent := r.Header["If-None-Match"]; len(sent) == 1 && p.isTag(sent[0]) {
		return sent
	}
	return p.ready(accepted(r.Header["Accept-Encoding"])).tag
}

// isTag reports whether a tag is one that a form of the document has.
func (p *reply) isTag(tag string) bool {
	plain := p.plain.tag[0]
	coding, ok := strings.CutPrefix(tag, plain[:len(plain)-1])
	return ok && (coding == `"` || coding == `-br"` || coding == `-zstd"` || coding == `-gzip"`)
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

// succeed orders the forms that clients asked for of the version before.
func (p *reply) succeed(old *reply) {
	for i := range old.small {
		if old.small[i].wanted() {
			p.presses.order(p, i)
		}
	}
	old.stale.Store(true)
}

// presses compress documents in the background, one after the other, and rest
// when there is nothing to do.
type presses struct {
	mu      sync.Mutex
	waiting []order
	busy    bool
}

// An order is for one form of a document.
type order struct {
	reply  *reply
	coding int
}

// order has a form made; twice is once.
func (p *presses) order(r *reply, coding int) {
	if r.small[coding].ordered.Swap(true) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = append(p.waiting, order{r, coding})
	if !p.busy {
		p.busy = true
		go p.run()
	}
}

func (p *presses) run() {
	for o, ok := p.next(); ok; o, ok = p.next() {
		if !o.reply.stale.Load() {
			o.reply.make(o.coding)
		}
	}
}

// next takes the oldest order; without one the presses rest.
func (p *presses) next() (o order, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) == 0 {
		p.waiting, p.busy = nil, false
		return order{}, false
	}
	o, p.waiting = p.waiting[0], p.waiting[1:]
	return o, true
}

// shelves gives the replies of the set that is published now.
type shelves struct {
	current atomic.Pointer[shelf]
	mu      sync.Mutex // one change at a time
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
	if now := x.current.Load(); now != nil && now.set == set {
		return now
	}
	x.mu.Lock()
	defer x.mu.Unlock()
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
			case doc != nil:
				next.of(doc).succeed(r)
			}
			return true
		})
	}
	x.current.Store(next)
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
