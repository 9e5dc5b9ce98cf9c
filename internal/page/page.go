// Package page renders the pages that people see: it owns the typed contents
// of every page, the templates that show them and the assets they refer to.
// Rendering is pure, to bytes; a template that is missing, unused or does not
// fit its contents is an error when the pages are loaded, not when a visitor
// comes. Package page knows nothing of HTTP, posts or the database.
package page

import (
	"html/template"
	"time"

	"tidings/internal/locale"
)

// Site is what every page of one site shares.
type Site struct {
	Title       string
	Description string
	Language    string           // of the page, BCP 47
	Dir         string           // direction of the page: "ltr" or "rtl"
	Own         string           // the language of the site's own words; "" if it is the page's
	Words       *locale.Language // of buttons, headings and sentences; nil: English
	Root        string           // prefix of every path on this host: "" or "/news"
	Home        string           // address of the front page
	Version     string
	Mailing     bool // sign-up is possible
}

// Frame is what surrounds the contents of a page. Every page embeds one.
type Frame struct {
	Site        Site
	Title       string // "" on the front page
	Description string // plain text; "" for none
	Canonical   string // absolute address; "" for none
	Image       string // absolute address, for previews of links; "" for none
	Alternates  []Alternate
	NoIndex     bool   // a personal page, or one that is not worth finding
	Section     string // the entry of the navigation that is marked: posts, feeds, subscribe
}

// words is the language in which the page speaks.
func (f Frame) words() *locale.Language { return f.Site.Words }

// Head is the text of the title element.
func (f Frame) Head() string {
	if f.Title == "" {
		return f.Site.Title
	}
	return f.Title + " · " + f.Site.Title
}

// Alternate announces a feed to programs (feed autodiscovery).
type Alternate struct {
	Type, Title, URL string
}

// Link is a name with an address. Count, if not 0, is the number of posts.
type Link struct {
	Name, URL string
	Count     int
}

// Entry is a post in a list.
type Entry struct {
	Title      string // never empty
	Untitled   bool   // Title is the post's text
	URL        string
	Summary    string
	Published  time.Time
	Categories []Link
	Tags       []Link
	Language   string // "" if it is the page's
}

// Dir is the direction of the entry's own language; "" if it is the page's.
func (e Entry) Dir() string {
	if e.Language == "" {
		return ""
	}
	return locale.Direction(e.Language)
}

// Listing is one screen of a list of posts.
type Listing struct {
	Entries      []Entry
	Newer, Older string // addresses; "" at either end
}

// Home is the front page.
type Home struct {
	Frame
	Listing    Listing
	Form       *TopicForm // nil while nobody can sign up
	Categories []Link
	Feeds      []Link // the main feed in each format
}

// Post is the page of one post.
type Post struct {
	Frame
	Entry        Entry
	Authors      []string
	Updated      time.Time // zero if it never was
	HTML         template.HTML
	Form         *TopicForm // nil while nobody can sign up
	Newer, Older *Link
}

// Term is the page of one category or tag.
type Term struct {
	Frame
	Kind      string // "Category", "Tag", in the page's language
	Name      string
	Count     int
	Listing   Listing
	Feeds     []Link
	About     string     // address of the page about the feed; ""
	Subscribe string     // address of the form with this term chosen
	Form      *TopicForm // nil: these posts do not come by mail
}

// Feeds is the directory of feeds.
type Feeds struct {
	Frame
	Main    []Link // the feed of everything, in each format
	Groups  []FeedGroup
	OPML    string
	Builder *Builder // nil: there is nothing to combine
}

// FeedGroup is the feeds of one taxonomy.
type FeedGroup struct {
	Heading string
	Anchor  string
	Feeds   []Feed
}

// Feed is one feed in the directory.
type Feed struct {
	Title string
	URL   string // the page about it
	Posts int    // 0 is not shown
}

// Builder is the form that combines feeds. Lists of tags are slugs with commas
// between them.
type Builder struct {
	Action                 string
	Categories, Authors    []Choice
	Tags, AllTags, NotTags string
	Kept                   []Hidden // what else was asked for, and has no field
}

// FeedPage is the page about one feed.
type FeedPage struct {
	Frame
	Kind      string // "Feed of a tag"
	Name      string
	Posts     int
	Addresses []Link     // public, one for each format
	Page      *Link      // the posts themselves; nil: they have no page
	Form      *TopicForm // nil: these posts do not come by mail
	Entries   []Entry    // the latest
	Builder   *Builder   // to ask for another combination; nil if this is none
}

// TopicForm is the sign-up form as it stands on other pages: for the topics of
// the page, or for every post.
type TopicForm struct {
	Form
	Topic  string // names of the topics; "": there are none, it is for every post
	Hidden []Hidden
	All    string // address of the whole form, with the topics chosen
	Usual  string // zone of who chooses none
}

// Hidden is a field that is filled in already.
type Hidden struct {
	Name, Value string
}

// Issues lists the past editions of a newsletter.
type Issues struct {
	Frame
	Newsletter   string // title
	Total        int
	Issues       []Issue
	Newer, Older string // addresses; "" at either end
	Feeds        []Link
	Subscribe    string // address of the form; ""
}

// Issue is a past edition in a list.
type Issue struct {
	Subject, URL string
	Date         time.Time
	Posts        int
	Titles       []string // of the first posts
}

// Subscribe is the page of the sign-up form.
type Subscribe struct {
	Frame
	Form Form
	Step bool // one more click is asked for
}

// Form is the sign-up form, with what was wrong the last time.
type Form struct {
	Root            string
	Off             string // why nobody can sign up now; "" if they can
	Email           string
	EmailError      string
	Newsletters     []Choice
	NewsletterError string
	Categories      []Choice
	Tags            []Choice
	TopicsChosen    bool // any of Categories or Tags is
	TopicsError     string

	Frequency, Hour, Zone, Format Select // without Choices: not asked for
	TimingOpen                    bool   // any of them is not the usual one

	Challenge string // where a script gets a token; "": none is needed
	Token     string // "": none yet
	Script    bool   // the page may run one
}

// Select is a field with one choice.
type Select struct {
	Name, Label, Class string
	Choices            []Choice
	Note, Error        string // ""
}

// Choice is one option of a form.
type Choice struct {
	Value, Label, Description string
	Count                     int
	Chosen                    bool
}

// Confirm asks for the click that starts subscriptions.
type Confirm struct {
	Frame
	Email         string
	Subscriptions []Subscription
}

// Unsubscribe asks for the click that ends one.
type Unsubscribe struct {
	Frame
	Subscription
	Action      string // where its forms go
	Left        bool   // already
	Just        bool   // by this very request
	LeftAll     bool   // nothing is left to leave
	What        string // what was left; "": Newsletter
	MayReturn   bool   // it can still be taken back
	Thanks      bool   // for saying why
	Reasons     []Choice
	Preferences string // address of the person's own page; ""
}

// Preferences is a person's own page.
type Preferences struct {
	Frame
	Done      string // what was just done; ""
	Faulty    bool   // some field is wrong
	Email     string
	NextEmail string // to be confirmed; ""
	Stopped   string // why nothing is mailed; ""

	Letters []Letter

	Zones, Languages, Formats []Choice
	ZoneError                 string
	FormatError               string
	Pause                     string // first day of mail, as 2026-12-24; ""
	PauseError                string
	QuietFrom, QuietTo        []Choice
	QuietError                string

	Feed       []Link // addresses of the private feed; none: there is none, or not Fresh
	HasFeed    bool   // there is one
	Fresh      bool   // the link was just mailed: the address can be changed, the data be read and erased, and more be had
	NewEmail   string
	EmailError string
}

// Letter is one newsletter on a person's own page.
type Letter struct {
	Name, Title        string
	On                 bool
	Frequencies, Hours []Choice
	FrequencyError     string
	HourError          string
	Categories, Tags   []Choice
	TopicsChosen       bool
}

// AskLink is the form that sends a person the link to their own page.
type AskLink struct {
	Frame
	Root string
	Form Form // its address alone
}

// Address asks for the click that changes an address.
type Address struct {
	Frame
	Email, NextEmail string
}

// Subscription is a subscription as its owner sees it.
type Subscription struct {
	Newsletter string // title
	Email      string
	Topics     []string // names of categories and tags; none: everything
	When       []string // how often, at which hour, in which zone
}

// Notice says how something went, or what is wrong.
type Notice struct {
	Frame
	Good   bool // something was done as asked
	Text   []string
	Action *Link  // where to go next
	Hint   string // address of the mailbox, for the maintainer who is trying things out; ""
}

// Mailbox lists captured mails.
type Mailbox struct {
	Frame
	Mails []Mail
	Older string // address of those before; "" if these are the last
}

// Mail is one captured mail in the list.
type Mail struct {
	URL, Subject, From, To string
	Date                   time.Time
	Size                   string
}

// Message is one captured mail, opened.
type Message struct {
	Frame
	Mail
	HTML    string // address of the HTML part alone; "" if there is none
	Raw     string // address of the source
	Text    string
	Headers []Header
}

// Header is one header field.
type Header struct{ Name, Value string }
