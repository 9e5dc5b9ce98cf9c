// Package config gives the configuration: the shape of config.yaml, its
// defaults, and a reader that is strict and reports every fault at once, each
// with its line, column and key. It also shows the configuration in effect
// and describes it as a JSON Schema.
//
// The struct tags below are the only list of keys: "yaml" names a key, "check"
// says what its value must be (see rule), "doc" is its description. The
// reader, the schema and the listing all walk them. What the values mean for
// the running program is left to the packages they are handed to.
package config

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/idna"
)

// Config is a whole configuration, complete and checked when it comes from
// Load or Parse: derived defaults are filled in and paths are resolved.
type Config struct {
	Site        Site         `yaml:"site" doc:"The blog."`
	Posts       Posts        `yaml:"posts" doc:"Where posts are read from."`
	Feeds       Feeds        `yaml:"feeds" doc:"What is published."`
	Terms       Terms        `yaml:"terms" doc:"Names and addresses of categories, tags and authors that are to be other than posts make them."`
	Newsletters []Newsletter `yaml:"newsletters" doc:"The newsletters by name; none when left out. A name is part of addresses and of the database: it is not to be changed."`
	Mail        Mail         `yaml:"mail" doc:"How mail leaves."`
	Bounces     Bounces      `yaml:"bounces" doc:"What comes back."`
	SignUp      SignUp       `yaml:"signup" doc:"What is asked of those who sign up."`
	Alerts      Alerts       `yaml:"alerts" doc:"Who is told of trouble."`
	Delivery    Delivery     `yaml:"delivery" doc:"How persistently mail is delivered."`
	Database    Database     `yaml:"database" doc:"Where subscribers and what was sent are kept."`
	HTTP        HTTP         `yaml:"http" doc:"The web server."`
	Templates   Templates    `yaml:"templates" doc:"Your own mails and pages."`
	SecretFile  string       `yaml:"secret_file" check:"required,path" doc:"The key behind the links in mails; made at the first start if its folder exists."`

	origin     origin
	mailingOff string
}

// Site describes the blog.
type Site struct {
	Title       string   `yaml:"title" check:"required" doc:"Title of the blog, of its feeds and in mails."`
	Description string   `yaml:"description" check:"lines" doc:"One or two sentences about the blog."`
	URL         string   `yaml:"url" check:"required,url" doc:"Where people read the posts; the addresses of posts start here."`
	Language    string   `yaml:"language" check:"required,language" doc:"Language of the blog, as a BCP 47 tag: en, pt-BR."`
	Languages   []string `yaml:"languages" check:"unique,language" doc:"Languages beside it in which the web pages answer browsers that ask for them."`
	Timezone    string   `yaml:"timezone" check:"required,zone" doc:"Time zone of dates without one, as an IANA name: Europe/Berlin."`
	Author      Author   `yaml:"author" doc:"Author of posts that name none."`
	Icon        string   `yaml:"icon" check:"picture" doc:"Address of a square picture that readers show beside the feeds."`
}

// Location is Timezone, which Parse has checked.
func (s Site) Location() *time.Location { return location(s.Timezone) }

// Author is a person.
type Author struct {
	Name  string `yaml:"name" doc:"Name of the author."`
	Email string `yaml:"email" check:"email" doc:"Mail address of the author; it is published."`
}

// Posts says where posts are.
type Posts struct {
	Dir       string        `yaml:"dir" check:"required,path" doc:"Folder of the Markdown files."`
	Permalink string        `yaml:"permalink" check:"required,permalink" doc:"Path of a post below site.url. Placeholders: :slug :category :year :month :day."`
	Debounce  time.Duration `yaml:"debounce" doc:"Quiet time after a file event before the file is read."`
	Settle    time.Duration `yaml:"settle" doc:"A post is mailed only once its file is unchanged for this long. Feeds do not wait."`
}

// Feeds says what is published.
type Feeds struct {
	Formats     []string      `yaml:"formats" check:"required,unique,enum=rss|atom|json" doc:"Formats of every feed."`
	Items       int           `yaml:"items" check:"min=1" doc:"Posts in a feed at least, the newest ones."`
	Days        int           `yaml:"days" check:"min=0" doc:"A feed also holds every post of so many days, counted back from the newest. 0: none."`
	Content     string        `yaml:"content" check:"required,enum=full|summary" doc:"Whole posts or their summaries."`
	URL         string        `yaml:"url" check:"url" doc:"Where the feeds are public, for links to themselves, the OPML and hubs. Default: http.url."`
	Precompress []string      `yaml:"precompress" check:"unique,enum=gzip|br|zstd" doc:"Compressed copies written beside every file."`
	Dir         string        `yaml:"dir" check:"place" doc:"Folder, or bucket (s3://, gs://, azblob://), to which every feed is also written, for a static host."`
	Hubs        []string      `yaml:"hubs" check:"unique,hub" doc:"WebSub hubs that are told about changes."`
	Preset      string        `yaml:"preset" check:"enum=hugo|wordpress|ghost|jekyll" doc:"Also answer at the addresses that this generator gave the feeds. Empty: at the well-known ones alone."`
	Archives    bool          `yaml:"archives" doc:"Older posts in archive feeds by year or month, which each feed leads to (RFC 5005)."`
	Combined    []Combination `yaml:"combined" doc:"Feeds that combine several terms, by name; each is at /feeds/NAME/."`
	Authors     bool          `yaml:"authors" doc:"A feed and a page for each author too. The presets wordpress and ghost make them anyway."`
}

// Combination is one feed of several terms.
type Combination struct {
	Name    string    // its key, a slug
	Title   string    `yaml:"title" doc:"Title of the feed, after that of the site. Empty: made of the terms."`
	Content string    `yaml:"content" check:"enum=full|summary" doc:"Whole posts or their summaries in this feed. Empty: feeds.content."`
	Any     TermNames `yaml:"any" doc:"Posts with at least one of these; none named: every post."`
	All     TermNames `yaml:"all" doc:"Posts with each of these."`
	Not     TermNames `yaml:"not" doc:"Posts with none of these."`
}

// TermNames names terms.
type TermNames struct {
	Categories []string `yaml:"categories" check:"unique" doc:"Names of categories."`
	Tags       []string `yaml:"tags" check:"unique" doc:"Names of tags."`
	Authors    []string `yaml:"authors" check:"unique" doc:"Names of authors; they need feeds.authors."`
}

// Terms fixes names and addresses of terms, by taxonomy.
type Terms struct {
	Categories []Term `yaml:"categories" doc:"Categories by the name to show."`
	Tags       []Term `yaml:"tags" doc:"Tags by the name to show."`
	Authors    []Term `yaml:"authors" doc:"Authors by the name to show."`
}

// Term is one category, tag or author.
type Term struct {
	Name    string   // its key
	Slug    string   `yaml:"slug" doc:"The part of its addresses that names it. Empty: made of the name."`
	Content string   `yaml:"content" check:"enum=full|summary" doc:"Whole posts or their summaries in the feed of this term. Empty: feeds.content."`
	Was     []string `yaml:"was" check:"unique" doc:"Former names: posts that carry them count as this term, and their addresses lead here."`
}

// Newsletter is one newsletter.
type Newsletter struct {
	Name          string        // its key, a slug
	Title         string        `yaml:"title" doc:"Title shown to readers. Default: the name, capitalised."`
	Schedule      string        `yaml:"schedule" check:"cron" doc:"When an edition is due: a cron expression of five fields, or @hourly, @daily, @weekly, @monthly, @yearly. Empty: only when sent by hand."`
	Timezone      string        `yaml:"timezone" check:"zone" doc:"Time zone of the schedule, for readers without one of their own. Default: site.timezone."`
	Frequencies   []string      `yaml:"frequencies" check:"required,unique,enum=schedule|each|daily|weekly|monthly" doc:"How often a reader may choose to get it: by the schedule, each post by itself, or daily, weekly, monthly."`
	Hour          int           `yaml:"hour" check:"min=0,max=23" doc:"Hour of a daily, weekly or monthly mail, unless the reader chooses another; in the reader's time zone."`
	Weekday       string        `yaml:"weekday" check:"required,enum=MON|TUE|WED|THU|FRI|SAT|SUN" doc:"Day of a weekly mail."`
	MonthDay      int           `yaml:"month_day" check:"min=1,max=28" doc:"Day of a monthly mail."`
	QuietHours    string        `yaml:"quiet_hours" check:"hours" doc:"Hours in which readers get no mail, in their time zone, as 22-7; but at an hour that they chose themselves. A reader may choose others. Empty: none."`
	Categories    []string      `yaml:"categories" doc:"Posts in any of these categories, or with any of the tags; both empty: every post."`
	Tags          []string      `yaml:"tags" doc:"Posts with any of these tags, or in any of the categories; both empty: every post."`
	From          string        `yaml:"from" check:"address" doc:"Sender. Default: mail.from."`
	ReplyTo       string        `yaml:"reply_to" check:"address" doc:"Where answers go. Default: mail.reply_to."`
	Subject       string        `yaml:"subject" doc:"Template of the subject. Default: the title of the leading post and a count."`
	PostalAddress string        `yaml:"postal_address" check:"lines" doc:"Postal address of the sender, shown in the footer."`
	Approve       bool          `yaml:"approve" doc:"A due edition waits until a maintainer releases it."`
	Welcome       bool          `yaml:"welcome" doc:"Whoever has just confirmed gets the latest edition at once."`
	Archive       string        `yaml:"archive" check:"required,enum=public|unlisted|off" doc:"Who may read past editions on the web: everybody, or whoever has the link of a mail, or nobody."`
	MaxPostAge    time.Duration `yaml:"max_post_age" check:"positive" doc:"Posts older than this are not mailed."`
	MinPosts      int           `yaml:"min_posts" check:"min=1" doc:"With fewer new posts the edition is skipped."`
	CatchUp       string        `yaml:"catch_up" check:"required,enum=once|skip" doc:"What becomes of runs missed while the daemon was down: sent once, or skipped."`
	MaxLateness   time.Duration `yaml:"max_lateness" check:"positive" doc:"A missed run older than this is skipped."`
	InDoubt       string        `yaml:"in_doubt" check:"enum=resend|hold|skip" doc:"What is done with a mail whose final answer was lost. Default: delivery.in_doubt."`
}

// Location is Timezone, which Parse has checked.
func (n Newsletter) Location() *time.Location { return location(n.Timezone) }

// Day is Weekday.
func (n Newsletter) Day() time.Weekday {
	return time.Weekday(max(slices.Index([]string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}, n.Weekday), 0))
}

// The transports.
const (
	Capture = "capture" // nothing leaves the machine
	ViaSMTP = "smtp"
)

// Mail says how mail leaves.
type Mail struct {
	Transport  string `yaml:"transport" check:"required,enum=capture|smtp" doc:"capture: nothing leaves the machine, mails are kept and shown; smtp: they are really sent."`
	CaptureDir string `yaml:"capture_dir" check:"required,path" doc:"Folder of captured mails, a Maildir."`
	From       string `yaml:"from" check:"required,address" doc:"Sender of every mail."`
	ReplyTo    string `yaml:"reply_to" check:"address" doc:"Where answers go. Default: to the sender."`
	Images     bool   `yaml:"images" doc:"A digest shows the picture of its first post, from where the post has it."`
	SMTP       SMTP   `yaml:"smtp" doc:"The mail server that takes the mails."`
	DKIM       DKIM   `yaml:"dkim" doc:"Signature of the mails, where the mail server does not sign them itself."`
	Rate       Rate   `yaml:"rate" doc:"Limits of the speed."`
}

// SMTP names the mail server. Password holds the content of PasswordFile, if
// that is set.
type SMTP struct {
	Host         string `yaml:"host" check:"host" doc:"Name or IP address of the mail server."`
	Port         int    `yaml:"port" check:"min=1,max=65535" doc:"Port of the mail server."`
	TLS          string `yaml:"tls" check:"required,enum=starttls|tls|none" doc:"starttls: encryption is switched on after connecting, and required; tls: from the first byte; none: no encryption."`
	Username     string `yaml:"username" doc:"User name at the mail server; empty: no authentication."`
	Password     string `yaml:"password" check:"secret" doc:"Password at the mail server."`
	PasswordFile string `yaml:"password_file" check:"path" doc:"File that holds the password, instead of password."`
	Connections  int    `yaml:"connections" check:"min=1" doc:"Connections open at the same time."`
	MaxMessages  int    `yaml:"max_messages" doc:"Mails over one connection; then another is opened. 0: no limit."`
	Pipelining   string `yaml:"pipelining" check:"required,enum=auto|off" doc:"auto: several commands are sent together, where the mail server offers that; off: one at a time."`
}

// DKIM names the signing keys; Domain is "" if mails are not signed.
type DKIM struct {
	Domain   string    `yaml:"domain" check:"domain" doc:"Signing domain."`
	Selector string    `yaml:"selector" check:"domain" doc:"Selector of the key below the domain."`
	KeyFile  string    `yaml:"key_file" check:"path" doc:"File that holds the private key, in PEM form."`
	Also     []DKIMKey `yaml:"also" doc:"Further keys by selector; each signs every mail too."`
}

// DKIMKey is one signing key.
type DKIMKey struct {
	Name    string // its selector
	KeyFile string `yaml:"key_file" check:"path" doc:"File that holds the private key, in PEM form."`
}

// Keys gives all keys, the main one first; none if mails are not signed.
func (d DKIM) Keys() []DKIMKey {
	if d.Domain == "" {
		return nil
	}
	return d.all()
}

func (d DKIM) all() []DKIMKey {
	return append([]DKIMKey{{Name: d.Selector, KeyFile: d.KeyFile}}, d.Also...)
}

// KeyPath names the place of the file of Keys()[i] in the configuration.
func (d DKIM) KeyPath(i int) string {
	if i == 0 {
		return "mail.dkim.key_file"
	}
	return KeyPath("mail", "dkim", "also", d.Also[i-1].Name, "key_file")
}

// Rate limits the speed.
type Rate struct {
	PerSecond float64      `yaml:"per_second" doc:"Mails a second over all connections and processes; 0: no limit."`
	Domains   []DomainRate `yaml:"domains" doc:"Limits of what single recipients' domains get, by domain."`
}

// DomainRate limits what one recipients' domain gets.
type DomainRate struct {
	Name        string  // its key, a domain
	PerSecond   float64 `yaml:"per_second" doc:"Mails a second to this domain, over all connections and processes; 0: no limit but that of all mail."`
	Connections int     `yaml:"connections" doc:"Mails to this domain under way at the same time in one process; 0: no limit but mail.smtp.connections."`
}

// ASCII is the domain in the form of the DNS, in lower case.
func (d DomainRate) ASCII() string {
	if ascii, err := idna.Lookup.ToASCII(d.Name); err == nil {
		return ascii
	}
	return strings.ToLower(d.Name)
}

// Bounces says where mail that cannot be delivered comes back to; Address is ""
// if nobody reads it here.
type Bounces struct {
	Address  string `yaml:"address" check:"returnpath" doc:"Address to which undeliverable mail and complaints come back; each mail gets one of its own, NAME+CODE@DOMAIN. Empty: they come back to the sender."`
	Listen   string `yaml:"listen" check:"listen" doc:"Address and port on which mail for it is taken. Empty: none; a mail server pipes it into the command bounce."`
	Protocol string `yaml:"protocol" check:"required,enum=smtp|lmtp" doc:"What is spoken there."`
	TLS      TLS    `yaml:"tls" doc:"Certificate for STARTTLS there. Empty: it is not offered."`
}

// TLS names a certificate and its key.
type TLS struct {
	CertFile string `yaml:"cert_file" check:"path" doc:"File that holds the certificate and those above it, in PEM form."`
	KeyFile  string `yaml:"key_file" check:"path" doc:"File that holds its private key, in PEM form."`
}

// SignUp says what is asked of those who sign up, and how many there may be.
type SignUp struct {
	MinSeconds        int           `yaml:"min_seconds" check:"min=0" doc:"Seconds that a person takes at least to fill in the form; 0: not looked at. A form sent sooner asks for one more click."`
	ProofOfWork       int           `yaml:"proof_of_work" check:"min=0,max=28" doc:"Bits of a puzzle that browsers solve meanwhile, such as 18; who has no script waits half a minute. 0: none."`
	PerAddress        int           `yaml:"per_address" check:"min=1" doc:"Sign-ups of one address a day that are answered with a mail."`
	PerNetwork        int           `yaml:"per_network" check:"min=0" doc:"Sign-ups an hour from one network (/24, /48), a third of it from one address in it; 0: no limit."`
	PerHour           int           `yaml:"per_hour" check:"min=1" doc:"Sign-ups of all an hour."`
	Refuse            []string      `yaml:"refuse" check:"unique,enum=disposable|role" doc:"Addresses that are refused: those that are thrown away, those of offices."`
	DisposableDomains string        `yaml:"disposable_domains" check:"path" doc:"File with domains of addresses that are thrown away, one on each line. Empty: a short list of our own."`
	RoleNames         string        `yaml:"role_names" check:"path" doc:"File with names before the @ that are of offices. Empty: a list of our own."`
	Origins           []string      `yaml:"origins" check:"unique,origin" doc:"Other sites with forms that sign up here, as https://blog.example.org."`
	Unconfirmed       time.Duration `yaml:"unconfirmed" check:"positive" doc:"What nobody confirms is forgotten after this."`
}

// Alerts says who is told of trouble.
type Alerts struct {
	To string `yaml:"to" check:"email" doc:"Mail address of the maintainer, to which alerts are sent. Empty: they are in the log, in the metrics and in the command alerts alone."`
}

// Delivery says how persistent delivery is.
type Delivery struct {
	RetryBase   time.Duration `yaml:"retry_base" check:"positive" doc:"Wait before the first retry; it grows with each attempt."`
	MaxAttempts int           `yaml:"max_attempts" doc:"Attempts for one mail; 0: no limit but expires."`
	Expires     time.Duration `yaml:"expires" check:"positive" doc:"A mail older than this is not sent any more."`
	InDoubt     string        `yaml:"in_doubt" check:"required,enum=resend|hold|skip" doc:"What is done when the mail server's answer to a whole message was lost: send it again, hold it for a maintainer, or let it be."`
}

// Database names the database. URL holds the content of URLFile, if that is
// set.
type Database struct {
	URL     string `yaml:"url" check:"required,database,secret" doc:"sqlite:FILE, or postgres://user:password@host/name for several daemons on one database."`
	URLFile string `yaml:"url_file" check:"path" doc:"File that holds the address, instead of url."`
}

// SQLite gives the database file; ok is false for another engine.
func (d Database) SQLite() (path string, ok bool) {
	path, ok = strings.CutPrefix(d.URL, sqliteScheme)
	return path, ok
}

// HTTP is the web server.
type HTTP struct {
	Listen         string   `yaml:"listen" check:"required,listen" doc:"Address and port to listen on."`
	URL            string   `yaml:"url" check:"url" doc:"Public address of this daemon; it may have a path. Default: site.url."`
	TrustedProxies []string `yaml:"trusted_proxies" check:"unique,network" doc:"Networks whose X-Forwarded-For header is believed."`
}

// Templates says where templates of the user's are.
type Templates struct {
	Dir string `yaml:"dir" check:"path" doc:"Folder whose files replace the built-in templates, messages and style sheets of the same names. Empty: none."`
}

// Proxies is TrustedProxies, which Parse has checked; a single address is a
// network of one.
func (h HTTP) Proxies() []netip.Prefix {
	var nets []netip.Prefix
	for _, s := range h.TrustedProxies {
		if p, err := parseNetwork(s); err == nil {
			nets = append(nets, p)
		}
	}
	return nets
}

// Newsletter gives the newsletter of that name.
func (c *Config) Newsletter(name string) (Newsletter, bool) {
	for _, n := range c.Newsletters {
		if n.Name == name {
			return n, true
		}
	}
	return Newsletter{}, false
}

// MailingOff says why sign-up and mailing must refuse to start; "" if they
// may. They must when the links in mails would lead to somebody else's host.
func (c *Config) MailingOff() string { return c.mailingOff }

// KeyPath joins the keys of a nested value, such as "terms", "tags" and "a.b",
// to the form that Fault knows.
func KeyPath(keys ...string) string {
	path := ""
	for _, key := range keys {
		path = join(path, printable(key))
	}
	return path
}

// Fault places what another package found wrong with the value of a key, such
// as "newsletters.weekly.subject", where the file has that key.
func (c *Config) Fault(key, message string) Fault { return c.origin.fault(key, "%s", message) }
