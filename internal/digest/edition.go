package digest

import (
	"cmp"
	"html/template"
	"slices"
	"strings"
	"time"

	"tidings/internal/locale"
)

// edition is what the digest's templates are filled with.
type edition struct {
	letter
	Count       int           // posts, also those that found no room
	More        int           // posts that found no room
	Intro       template.HTML // sanitised, styled
	IntroText   string        // wrapped
	Grouped     bool          // whether there is more than one group
	Compact     bool          // there are so many posts that each gets one line: its title
	Groups      []group
	Frequency   string // how often the readers get one, as a sentence; "" if it is not said
	Welcome     string // what greets new readers, who get the latest edition; "" for all others
	WebURL      string // where this edition is on the web; "" if it is not
	MoreURL     string // where posts that found no room are; "" if nowhere
	Unsubscribe string // the reader's address for leaving
	Preferences string // "" if there is no such page

	posts []entry // all of them, newest first
}

// frequencies gives the messages that tell them.
func frequencies() map[string]string {
	return map[string]string{"each": "digest.each", "daily": "digest.daily", "weekly": "digest.weekly", "monthly": "digest.monthly"}
}

// group is the posts of one category, or all posts.
type group struct {
	Name  string // "" for posts without a category, or without groups
	Posts []entry
}

// entry is a post as the templates see it.
type entry struct {
	Title       string // never ""
	URL         string // "" if it cannot be linked
	Summary     string
	Published   time.Time
	Day         string
	Category    string // all of them, comma-separated; "" if none
	Tags        []string
	ReadingTime int    // minutes
	Updated     bool   // readers had it before
	Image       string // only of the leading post
	ImageAlt    string
	ImageWidth  int    // pixels, as it is shown
	Language    string // "" if it is the mail's

	group string // the first category
}

// Limits of what one post may bring into a mail, in characters or pieces.
const (
	maxTitle   = 200
	maxSummary = 320

	maxCompactTitle = 100 // where titles are all there is

	maxTags       = 12 // tags, of maxTerm characters each
	maxCategories = 3
	maxTerm       = 60
)

// maxPosts is how many posts are looked at. Even bare titles of more would
// not find room.
const maxPosts = 400

// Posts are grouped by category when there are more than groupPosts of them
// in at least groupCategories (posts without one count as another).
const (
	groupPosts      = 8
	groupCategories = 3
)

func newEdition(in Input, v voice, m marks, r *introRenderer) (edition, error) {
	date := in.Date
	if in.Location != nil {
		date = date.In(in.Location)
	}
	l, err := newLetter(in.Site, in.Newsletter, in.Base, in.Topics, date, v)
	if err != nil {
		return edition{}, err
	}
	base := strings.TrimRight(webURL(in.Base), "/")
	e := edition{letter: l, Count: len(in.Items), Unsubscribe: base + "/unsubscribe/" + m.leave}
	if folder := strings.TrimRight(webURL(in.WebFolder), "/"); folder != "" {
		e.WebURL = folder + "/" + m.edition + "/"
	}
	e.MoreURL = cmp.Or(e.WebURL, l.Site.URL)
	if id := frequencies()[in.Frequency]; id != "" {
		e.Frequency = l.words.T(id)
	}
	if in.Welcome {
		e.Welcome = l.words.T("digest.welcome", "newsletter", l.Newsletter.Title)
	}
	if in.Preferences {
		e.Preferences = base + "/preferences/" + m.leave
	}
	for i, item := range in.Items[:min(len(in.Items), maxPosts)] {
		e.posts = append(e.posts, l.entry(item, i == 0))
	}
	if e.Intro, e.IntroText, err = r.render(in.Intro, l.Site.URL); err != nil {
		return edition{}, err
	}
	if e.Subject, err = subject(in, e); err != nil {
		return edition{}, err
	}
	e.Preheader = preheader(e)
	return e, nil
}

func (l letter) entry(item Item, leads bool) entry {
	categories := cleanAll(item.Categories, maxCategories)
	p := entry{
		Title:       cut(clean(item.Title), maxTitle),
		URL:         webURL(item.URL),
		Summary:     cut(clean(item.Summary), maxSummary),
		Published:   item.Published,
		Day:         l.day(item.Published),
		Category:    strings.Join(categories, l.words.T("list.comma")),
		Tags:        cleanAll(item.Tags, maxTags),
		ReadingTime: max(item.ReadingTime, 0),
		Updated:     item.Again,
	}
	if p.Language = cmp.Or(canonical(item.Language), l.site); p.Language == l.Language {
		p.Language = ""
	}
	if len(categories) > 0 {
		p.group = categories[0]
	}
	if leads {
		p.picture(item)
	}
	if p.Title == "" {
		p.Title, p.Summary = p.untitled(l.words)
	}
	return p
}

// columnWidth is the room for text and images, in pixels.
const columnWidth = 536

// picture takes an item's image, shown as wide as the column or as it is.
func (p *entry) picture(item Item) {
	if p.Image = webURL(item.Image); p.Image == "" {
		return
	}
	p.ImageAlt = cut(clean(item.ImageAlt), maxTitle)
	p.ImageWidth = columnWidth
	if item.ImageWidth > 0 {
		p.ImageWidth = min(item.ImageWidth, columnWidth)
	}
}

// untitled gives a heading for a post without a title, and what is left of
// its summary.
func (p entry) untitled(in *locale.Language) (title, summary string) {
	switch {
	case p.Summary != "" && cut(p.Summary, maxTitle/2) == p.Summary:
		return p.Summary, ""
	case p.Summary != "":
		return cut(p.Summary, maxTitle/3), p.Summary
	case p.Category != "":
		return p.Category, ""
	case p.ImageAlt != "":
		return p.ImageAlt, ""
	}
	return in.T("posts.untitled"), ""
}

// shorten gives the edition with its first n posts, cut down as much as s
// says, and grouped.
func (e edition) shorten(n int, s shortening) edition {
	posts := slices.Clone(e.posts[:n])
	for i := range posts {
		posts[i].Summary = cut(posts[i].Summary, s.summary)
		if s.compact {
			posts[i].Title, posts[i].Tags = cut(posts[i].Title, maxCompactTitle), nil
		}
	}
	e.Compact = s.compact
	e.More = e.Count - n
	e.Groups = groups(posts)
	e.Grouped = len(e.Groups) > 1
	return e
}

// groups sorts many posts by category, in the order in which categories first
// appear; posts without one come last. Few stay together.
func groups(posts []entry) []group {
	var byCategory []group
	for _, p := range posts {
		same := func(g group) bool { return strings.EqualFold(g.Name, p.group) }
		i := slices.IndexFunc(byCategory, same)
		if i < 0 {
			i = len(byCategory)
			byCategory = append(byCategory, group{Name: p.group})
		}
		byCategory[i].Posts = append(byCategory[i].Posts, p)
	}
	if len(posts) <= groupPosts || len(byCategory) < groupCategories {
		return []group{{Posts: posts}}
	}
	if i := slices.IndexFunc(byCategory, func(g group) bool { return g.Name == "" }); i >= 0 {
		rest := byCategory[i]
		byCategory = append(slices.Delete(byCategory, i, i+1), rest)
	}
	return byCategory
}

// preheader continues the subject, which names the leading post, in what mail
// programs show of an unopened mail: the titles that follow, or else the
// leading post's summary.
func preheader(e edition) string {
	const enough = 100
	if len(e.posts) == 1 {
		return cut(e.posts[0].Summary, enough)
	}
	var b strings.Builder
	for i, p := range e.posts[1:] {
		if b.Len() > enough {
			break
		}
		if i > 0 {
			b.WriteString(" · ")
		}
		b.WriteString(p.Title)
	}
	return cut(b.String(), enough)
}
