package publish

import (
	"cmp"
	"context"
	"net/url"

	"tidings/internal/feed"
)

// maxSize is how large a feed is to be at the most, in bytes: several readers
// give up on documents of one megabyte and more.
const maxSize = 1 << 20

// stylePath is where the style sheet of the feeds is.
const stylePath = "/feed.css"

// stylesheet is what feeds refer to it by: without a host, because browsers
// take style sheets of XML from the same host alone, whichever name it was
// called by; "" if there is none.
func (p *Publisher) stylesheet() string {
	u, err := url.Parse(p.cfg.URL(stylePath))
	if p.style == nil || err != nil {
		return ""
	}
	return u.EscapedPath()
}

// A draft is a document that has no time yet.
type draft struct {
	window *window
	format feed.Format // "" for the OPML
	path   string
	doc    *Document
	err    error
}

// encode makes the documents of every window that is not as it was, and the
// OPML if it may have changed.
func (p *Publisher) encode(ctx context.Context, windows []window) ([]*draft, error) {
	var drafts []*draft
	for i := range windows {
		w := &windows[i]
		if old, ok := p.encoded[w.Path]; ok && w.same(old) {
			continue
		}
		for _, f := range p.cfg.Formats {
			drafts = append(drafts, &draft{window: w, format: f, path: p.cfg.docPath(w.Path, f)})
		}
	}
	drafts = append(drafts, &draft{path: opmlPath})
	err := parallel(ctx, len(drafts), func(i int) {
		d := drafts[i]
		if d.window == nil {
			d.doc, d.err = p.encodeOPML(windows)
		} else {
			d.doc, d.err = p.encodeFeed(d.window, d.format, d.path)
		}
	})
	for _, d := range drafts {
		err = cmp.Or(err, d.err)
	}
	return drafts, err
}

// A place says where a document is, and of what.
type place struct {
	id   string // of the feed
	self string // address of the document
	page string // address of the page it is a feed of
	room int    // bytes it may have
	hubs []string
}

func (p *Publisher) encodeFeed(w *window, f feed.Format, path string) (*Document, error) {
	at := place{id: p.cfg.id(w.Path), self: p.cfg.URL(path), page: p.cfg.page(w.Path), room: maxSize, hubs: p.cfg.Hubs}
	if w.archive { // a part of the same feed, which is to be followed instead
		at.id, at.page, at.room, at.hubs = p.cfg.id(w.current), p.cfg.page(w.current), maxArchive, nil
	}
	return p.encodeWindow(w, f, path, at)
}

func (p *Publisher) encodeWindow(w *window, f feed.Format, path string, at place) (*Document, error) {
	d := p.cfg.site()
	d.ID, d.SiteURL = at.id, at.page
	d.Title = w.Title
	d.Description = p.cfg.Description
	d.Icon = p.cfg.Icon
	d.Generator = generator
	d.Hubs = at.hubs
	d.Stylesheet = p.stylesheet()
	d.Tombstones = w.left
	d.History = p.links(w, f)
	for _, it := range w.items {
		if t := it.entry.Changed(); t.After(d.Updated) {
			d.Updated = t
		}
	}
	shell, err := feed.EncodeShell(f, d, at.self)
	if err != nil {
		return nil, err
	}
	pieces, err := p.fit(w, f, at.room-len(shell.Head)-len(shell.Tail))
	doc := newDocument(path, f.MediaType(), shell, pieces)
	doc.Hubs = at.hubs
	return doc, err
}

// fit gives the pieces of a window, newest first, in so many bytes: those that
// are larger than all the room lose their full text, then others from the
// oldest on, and only if that is not enough, the oldest are left out. The
// newest is never.
func (p *Publisher) fit(w *window, f feed.Format, room int) ([]*piece, error) {
	pieces := make([]*piece, len(w.items))
	size := 0
	for i, it := range w.items {
		var err error
		if pieces[i], err = p.pieceIn(w, it, f); err != nil {
			return nil, err
		}
		size += len(pieces[i].bytes)
	}
	for _, least := range []int{room + 1, 0} { // a huge post costs no other its text
		for i := len(pieces) - 1; i >= 0 && size > room; i-- {
			if len(pieces[i].bytes) < least {
				continue
			}
			short, err := p.shortened(w.items[i], f)
			if err != nil {
				return nil, err
			}
			size += len(short.bytes) - len(pieces[i].bytes)
			pieces[i] = short
		}
	}
	for len(pieces) > 1 && size > room {
		last := len(pieces) - 1
		size -= len(pieces[last].bytes)
		pieces = pieces[:last]
	}
	return pieces, nil
}

// pieceIn is an item as a window shows it if there is room.
func (p *Publisher) pieceIn(w *window, it *item, f feed.Format) (*piece, error) {
	if w.brief && !it.chosen {
		return p.shortened(it, f)
	}
	return it.whole[f], nil
}
