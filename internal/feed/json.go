package feed

import (
	"slices"
	"time"

	"github.com/gorilla/feeds"
)

// jsonFeed is gorilla's feed, but its items are there even when there are none.
type jsonFeed struct {
	*feeds.JSONFeed
	Items []*jsonItem `json:"items"`
}

type jsonItem struct {
	*feeds.JSONItem
	Language    string           `json:"language,omitempty"`
	Attachments []jsonAttachment `json:"attachments,omitempty"`
}

// jsonAttachment is not gorilla's, whose size has another name and ends at
// 2 GiB, and whose MarshalJSON would hide what is added to it.
type jsonAttachment struct {
	URL      string  `json:"url"`
	Type     string  `json:"mime_type"`
	Size     int64   `json:"size_in_bytes,omitempty"`
	Duration float64 `json:"duration_in_seconds,omitempty"`
}

func newJSON(d Feed, self string) *jsonFeed {
	f := &jsonFeed{
		JSONFeed: &feeds.JSONFeed{
			Version:     "https://jsonfeed.org/version/1.1",
			Title:       line(d.Title),
			Language:    language(d.Language),
			HomePageUrl: address(d.SiteURL),
			FeedUrl:     address(self),
			Description: line(d.Description),
			Icon:        address(d.Icon),
			Authors:     jsonAuthors(named([]Person{d.Author})),
		},
		Items: []*jsonItem{},
	}
	f.NextUrl = address(d.History.Previous)
	for _, hub := range d.Hubs {
		f.Hubs = append(f.Hubs, &feeds.JSONHub{Type: "WebSub", Url: address(hub)})
	}
	for _, e := range d.Entries {
		f.Items = append(f.Items, newJSONItem(e, d))
	}
	return f
}

func newJSONItem(e Entry, d Feed) *jsonItem {
	item := &jsonItem{
		JSONItem: &feeds.JSONItem{
			Id:            e.id(),
			Url:           address(e.URL),
			Title:         line(e.Title),
			ContentHTML:   e.content(d),
			Summary:       line(e.Summary),
			Image:         address(e.Image.URL),
			PublishedDate: jsonDate(e.Published),
			ModifiedDate:  jsonDate(e.Changed()),
			Authors:       jsonAuthors(named(e.Authors)),
		},
		Language:    e.language(d),
		Attachments: e.Enclosure.json(),
	}
	if item.ContentHTML == "" { // one of the two contents is required
		item.ContentText = item.Summary
		if item.ContentText == "" {
			item.ContentText = e.title()
		}
	}
	for _, c := range e.categories() {
		if !slices.Contains(item.Tags, c.Name) { // a category and a tag may share their name
			item.Tags = append(item.Tags, c.Name)
		}
	}
	return item
}

func jsonAuthors(people []Person) []*feeds.JSONAuthor {
	var out []*feeds.JSONAuthor
	for _, p := range people {
		out = append(out, &feeds.JSONAuthor{Name: p.Name, Url: p.URL})
	}
	return out
}

// jsonDate is nil for a date that cannot be shown.
func jsonDate(t time.Time) *time.Time {
	t, ok := date(t)
	if !ok {
		return nil
	}
	return &t
}
