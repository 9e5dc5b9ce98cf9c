package feed

import (
	"encoding/xml"
	"strings"
	"time"

	"github.com/gorilla/feeds"
)

// Namespaces of the extensions.
const (
	nsAtom    = "http://www.w3.org/2005/Atom"
	nsContent = "http://purl.org/rss/1.0/modules/content/"
	nsDC      = "http://purl.org/dc/elements/1.1/"
	nsMedia   = "http://search.yahoo.com/mrss/"

	nsTombstones = "http://purl.org/atompub/tombstones/1.0"
	nsHistory    = "http://purl.org/syndication/history/1.0"
)

type rssRoot struct {
	XMLName xml.Name `xml:"rss"`
	Version string   `xml:"version,attr"`
	Atom    string   `xml:"xmlns:atom,attr"`
	Content string   `xml:"xmlns:content,attr"`
	DC      string   `xml:"xmlns:dc,attr"`
	Media   string   `xml:"xmlns:media,attr"`
	FH      string   `xml:"xmlns:fh,attr,omitempty"`
	Channel *rssChannel
}

// rssChannel is gorilla's channel with what it lacks. A field of the same
// element name hides gorilla's; fields stand in the order of the elements.
type rssChannel struct {
	Title     *rssText   `xml:"title"`
	AtomLinks []atomLink `xml:"atom:link"`
	*feeds.RssFeed
	Editor *rssText  `xml:"managingEditor"`
	Image  *rssImage `xml:"image"`
	historyMarks
	Items []*rssItem `xml:"item"`

	history string // the name space of historyMarks, if there are any
}

// FeedXml gives the root element. Without it the embedded channel's own would
// be promoted, and print itself alone.
func (c *rssChannel) FeedXml() any {
	return &rssRoot{
		Version: "2.0", Atom: nsAtom, Content: nsContent, DC: nsDC, Media: nsMedia, FH: c.history,
		Channel: c,
	}
}

// rssImage is gorilla's with a description, in the order of the specification.
type rssImage struct {
	*feeds.RssImage
	Description string `xml:"description,omitempty"`
}

type rssItem struct {
	Title       *rssText `xml:"title"`
	Link        string   `xml:"link,omitempty"`
	Description *cdata   `xml:"description"` // before content:encoded, or readers take it for the content
	*feeds.RssItem
	Creators   []string      `xml:"dc:creator"` // author would have to be a mail address
	Language   string        `xml:"dc:language,omitempty"`
	Categories []rssCategory `xml:"category"`
	mediaImage
}

// rssText holds escaped text: the RSS Profile asks for hexadecimal references,
// which readers decode once however they treat a title.
type rssText struct {
	XML string `xml:",innerxml"`
}

type cdata struct {
	Text string `xml:",cdata"`
}

type rssCategory struct {
	Domain string `xml:"domain,attr,omitempty"`
	Name   string `xml:",chardata"`
}

func newRSS(d Feed, self string) *rssChannel {
	c := &rssChannel{
		Title: newRSSText(line(d.Title)),
		RssFeed: &feeds.RssFeed{
			Link:          address(d.SiteURL),
			Description:   d.description(),
			Language:      language(d.Language),
			LastBuildDate: formatDate(d.changed(), time.RFC1123Z),
			Generator:     line(d.Generator),
			Docs:          "https://www.rssboard.org/rss-specification",
		},
		Editor:    newRSSText(d.editor()),
		AtomLinks: feedLinks(RSS, d, self),
	}
	c.historyMarks, c.history = d.History.marks()
	if icon := address(d.Icon); icon != "" {
		// title and link are to be the channel's own
		c.Image = &rssImage{RssImage: &feeds.RssImage{Url: icon, Title: line(d.Title), Link: c.Link}, Description: c.Description}
	}
	for _, e := range d.Entries {
		c.Items = append(c.Items, newRSSItem(e, d))
	}
	return c
}

func newRSSItem(e Entry, d Feed) *rssItem {
	item := &rssItem{
		Title:       newRSSText(line(e.Title)),
		Link:        address(e.URL),
		Description: &cdata{escapeHTML(line(e.Summary))},
		RssItem: &feeds.RssItem{
			Guid:    &feeds.RssGuid{Id: e.id(), IsPermaLink: "false"},
			PubDate: formatDate(e.Published, time.RFC1123Z),

			Comments:  address(e.Comments),
			Enclosure: e.Enclosure.rss(),
		},
		Language:   e.language(d),
		mediaImage: newMediaImage(e.Image),
	}
	content := e.content(d)
	switch {
	case item.Description.Text == "" && content != "":
		item.Description.Text = content
	case content != "":
		item.Content = &feeds.RssContent{Content: content}
	case item.Description.Text == "" && item.Title != nil:
		item.Description = nil
	case item.Description.Text == "":
		item.Description.Text = escapeHTML(e.title()) // RSS demands one of the two
	}
	for _, p := range e.authors(d) {
		item.Creators = append(item.Creators, p.Name)
	}
	for _, c := range e.categories() {
		item.Categories = append(item.Categories, rssCategory{Domain: c.Scheme, Name: c.Name})
	}
	return item
}

// newRSSText is nil for an untitled item: a blank element is worse than none.
func newRSSText(s string) *rssText {
	if s == "" {
		return nil
	}
	return &rssText{hexadecimal.Replace(s)}
}

var hexadecimal = strings.NewReplacer("&", "&#x26;", "<", "&#x3C;", ">", "&#x3E;")

// editor is "mail (name)" of the author, as RSS wants it; "" without a mail
// address.
func (d Feed) editor() string {
	people := named([]Person{d.Author})
	if len(people) == 0 {
		return ""
	}
	p := people[0]
	if p.Email == "" || p.Email == p.Name {
		return p.Email
	}
	return p.Email + " (" + p.Name + ")"
}
