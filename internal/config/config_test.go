package config_test

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tidings/internal/config"
)

const shipped = "../../config.yaml"

// environment makes an Env of names and values.
func environment(pairs ...string) config.Env {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

// parse reads a configuration that must be right, in the folder /etc/tidings.
func parse(t *testing.T, src string, env ...string) *config.Config {
	t.Helper()
	c, err := config.Parse("/etc/tidings/config.yaml", []byte(src), environment(env...))
	if err != nil {
		t.Fatalf("Parse:\n%v", err)
	}
	return c
}

// faultsOf reads a configuration that must be wrong.
func faultsOf(t *testing.T, src string, env ...string) config.Faults {
	t.Helper()
	_, err := config.Parse("config.yaml", []byte(src), environment(env...))
	var faults config.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("Parse gave %v, want faults", err)
	}
	return faults
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestShippedFileIsTheDefaults(t *testing.T) {
	src, err := os.ReadFile(shipped)
	if err != nil {
		t.Fatal(err)
	}
	got := parse(t, string(src))
	want := parse(t, "")
	want.Newsletters = []config.Newsletter{{
		Name:        "weekly",
		Title:       "Weekly digest",
		Schedule:    "0 8 * * MON",
		Timezone:    "UTC",
		From:        "Field Notes <news@localhost>",
		Frequencies: []string{"schedule", "each", "daily", "weekly", "monthly"},
		Hour:        8,
		Weekday:     "MON",
		MonthDay:    1,
		Archive:     "public",
		MaxPostAge:  30 * 24 * time.Hour,
		MinPosts:    1,
		CatchUp:     "once",
		MaxLateness: 24 * time.Hour,
		InDoubt:     "resend",
	}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(config.Config{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("config.yaml differs from the defaults (-default +shipped):\n%s", diff)
	}
}

func TestDefaults(t *testing.T) {
	c := parse(t, "")
	want := &config.Config{
		Site:  config.Site{Title: "Field Notes", URL: "http://localhost:8080", Language: "en", Timezone: "UTC"},
		Posts: config.Posts{Dir: "/etc/tidings/examples/posts", Permalink: "/posts/:slug/", Debounce: 100 * time.Millisecond, Settle: 30 * time.Second},
		Feeds: config.Feeds{Formats: []string{"rss", "atom", "json"}, Items: 20, Days: 30, Content: "full", URL: "http://localhost:8080"},
		Mail: config.Mail{Transport: "capture", CaptureDir: "/etc/tidings/data/mailbox", Images: true, From: "Field Notes <news@localhost>",
			SMTP: config.SMTP{Port: 587, TLS: "starttls", Connections: 4, MaxMessages: 100, Pipelining: "auto"}},
		Bounces:    config.Bounces{Protocol: "smtp"},
		SignUp:     config.SignUp{MinSeconds: 2, PerAddress: 3, PerNetwork: 30, PerHour: 500, Unconfirmed: 30 * 24 * time.Hour},
		Delivery:   config.Delivery{RetryBase: time.Minute, Expires: 72 * time.Hour, InDoubt: "resend"},
		Database:   config.Database{URL: "sqlite:/etc/tidings/data/tidings.db"},
		HTTP:       config.HTTP{Listen: "127.0.0.1:8080", URL: "http://localhost:8080"},
		SecretFile: "/etc/tidings/data/secret.key",
	}
	if diff := cmp.Diff(want, c, cmpopts.IgnoreUnexported(config.Config{})); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	for _, src := range []string{"# nothing\n", "---\n", "site:\n", "newsletters:\nhttp: {url: }\n", "\ufeff", "...\n", "null"} {
		if diff := cmp.Diff(want, parse(t, src), cmpopts.IgnoreUnexported(config.Config{})); diff != "" {
			t.Errorf("%q is not the defaults:\n%s", src, diff)
		}
	}
}

func TestNewsletterInherits(t *testing.T) {
	c := parse(t, `
site: {timezone: Europe/Berlin}
mail: {from: "A <a@example.org>", reply_to: r@example.org}
delivery: {in_doubt: hold}
newsletters:
  tech-news:
  b: {timezone: Asia/Tokyo, from: b@example.org, reply_to: "", in_doubt: skip, title: Bee, schedule: ""}
  a: {timezone: "", tags: [x]}
`)
	var names []string
	for _, n := range c.Newsletters {
		names = append(names, n.Name)
	}
	if diff := cmp.Diff([]string{"tech-news", "b", "a"}, names); diff != "" {
		t.Fatalf("not in the order of the file:\n%s", diff)
	}
	tech, ok := c.Newsletter("tech-news")
	if !ok || tech.Title != "Tech news" || tech.Timezone != "Europe/Berlin" || tech.From != "A <a@example.org>" ||
		tech.ReplyTo != "r@example.org" || tech.InDoubt != "hold" || tech.Schedule != "0 8 * * MON" {
		t.Errorf("tech-news = %+v", tech)
	}
	b, _ := c.Newsletter("b")
	if b.Timezone != "Asia/Tokyo" || b.From != "b@example.org" || b.ReplyTo != "r@example.org" || b.InDoubt != "skip" || b.Title != "Bee" || b.Schedule != "" {
		t.Errorf("b = %+v", b)
	}
	if got := b.Location().String(); got != "Asia/Tokyo" {
		t.Errorf("Location = %s", got)
	}
	if _, ok := c.Newsletter("c"); ok {
		t.Error("found a newsletter that is not there")
	}
}

func TestAddressesInherit(t *testing.T) {
	for _, tt := range []struct{ name, src, http, feeds string }{
		{"site alone", `site: {url: "https://a.example/blog/"}`, "https://a.example/blog", "https://a.example/blog"},
		{"http", `{site: {url: "https://a.example"}, http: {url: "https://b.example/"}}`, "https://b.example", "https://b.example"},
		{"feeds", `{feeds: {url: "https://c.example"}, http: {url: "https://b.example"}}`, "https://b.example", "https://c.example"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := parse(t, tt.src)
			if c.HTTP.URL != tt.http || c.Feeds.URL != tt.feeds {
				t.Errorf("http.url %s, feeds.url %s; want %s, %s", c.HTTP.URL, c.Feeds.URL, tt.http, tt.feeds)
			}
		})
	}
}

func TestPathsStartAtTheFile(t *testing.T) {
	c := parse(t, `
posts: {dir: ../posts}
feeds: {dir: /srv/feeds/}
mail: {capture_dir: box}
database: {url: "sqlite:db/t.db"}
secret_file: k
`)
	got := []string{c.Posts.Dir, c.Feeds.Dir, c.Mail.CaptureDir, c.Database.URL, c.SecretFile}
	want := []string{"/etc/posts", "/srv/feeds", "/etc/tidings/box", "sqlite:/etc/tidings/db/t.db", "/etc/tidings/k"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDatabase(t *testing.T) {
	for url, want := range map[string]string{
		"sqlite:t.db":               "/etc/tidings/t.db",
		"sqlite:/var/t.db":          "/var/t.db",
		"sqlite:///var/t.db":        "/var/t.db",
		"sqlite://t.db":             "/etc/tidings/t.db",
		"postgres://u:p@h/n":        "",
		"postgresql:///n?host=/run": "",
	} {
		path, ok := parse(t, "database: {url: "+`"`+url+`"}`).Database.SQLite()
		if path != want && ok || ok != (want != "") {
			t.Errorf("%s: SQLite() = %q, %v; want %q", url, path, ok, want)
		}
	}
}

func TestProxies(t *testing.T) {
	got := parse(t, `http: {trusted_proxies: [10.1.2.3/8, "::1", 192.0.2.7]}`).HTTP.Proxies()
	want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("192.0.2.7/32")}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

func TestMailingOff(t *testing.T) {
	for _, tt := range []struct {
		src string
		off bool
	}{
		{``, false},
		{`site: {url: "http://127.0.0.9:1"}`, false},
		{`site: {url: "http://[::1]:8080/x"}`, false},
		{`site: {url: "http://blog.localhost"}`, false},
		{`site: {url: "https://blog.example"}`, true},
		{`site: {url: "http://localhost.example"}`, true},
		{`{site: {url: "https://blog.example"}, http: {url: ""}}`, true},
		{`{site: {url: "https://blog.example"}, http: {url: "https://blog.example"}}`, false},
		{`{site: {url: "https://blog.example"}, http: {url: "https://news.example/t"}}`, false},
	} {
		reason := parse(t, tt.src).MailingOff()
		if (reason != "") != tt.off {
			t.Errorf("%s: MailingOff() = %q, want off: %v", tt.src, reason, tt.off)
		}
		if tt.off && !strings.Contains(reason, "http.url") {
			t.Errorf("%s: %q does not say what to do", tt.src, reason)
		}
	}
}

func TestVariables(t *testing.T) {
	c := parse(t, `
site: {title: "${WHO}'s notes $${WHO} $5 $", url: ${URL}, language: en}
posts: {settle: ${QUIET}}
feeds: {formats: [${FORMAT}], items: "${ITEMS}"}
newsletters: {weekly: {approve: ${YES}, subject: 'x ${WHO}${WHO}'}}
mail: {rate: {per_second: ${RATE}}}
http:
  listen: ${HOST}:${PORT}
`, "WHO", "Ann", "URL", "https://a.example", "QUIET", "2m", "FORMAT", "atom", "ITEMS", "7", "YES", "true", "RATE", "2.5",
		"HOST", "0.0.0.0", "PORT", "80")
	weekly, _ := c.Newsletter("weekly")
	got := []any{c.Site.Title, c.Site.URL, c.Posts.Settle, c.Feeds.Formats[0], c.Feeds.Items, weekly.Approve, weekly.Subject, c.Mail.Rate.PerSecond, c.HTTP.Listen}
	want := []any{"Ann's notes ${WHO} $5 $", "https://a.example", 2 * time.Minute, "atom", 7, true, "x AnnAnn", 2.5, "0.0.0.0:80"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAnchors(t *testing.T) {
	c := parse(t, `
newsletters:
  weekly: &base
    from: &me w@example.org
    tags: &t [go, web]
    min_posts: 3
  daily: {<<: *base, min_posts: 1, tags: [x]}
  monthly:
    <<: [*base, {min_posts: 9, subject: "S"}]
    schedule: "@monthly"
  same: *base
mail: {from: *me}
feeds: {formats: !!seq [rss]}
site: {title: !!str 2024, description: !!str true}
`)
	daily, _ := c.Newsletter("daily")
	monthly, _ := c.Newsletter("monthly")
	same, _ := c.Newsletter("same")
	if daily.MinPosts != 1 || daily.From != "w@example.org" || daily.Tags[0] != "x" {
		t.Errorf("daily = %+v", daily)
	}
	if monthly.MinPosts != 3 || monthly.Subject != "S" || monthly.Schedule != "@monthly" || len(monthly.Tags) != 2 {
		t.Errorf("monthly = %+v", monthly)
	}
	if same.MinPosts != 3 || same.Title != "Same" {
		t.Errorf("same = %+v", same)
	}
	if c.Mail.From != "w@example.org" || c.Site.Title != "2024" || c.Site.Description != "true" {
		t.Errorf("from %q, title %q, description %q", c.Mail.From, c.Site.Title, c.Site.Description)
	}
}

func TestBlocks(t *testing.T) {
	c := parse(t, "site:\n  title: >\n    Field\n    Notes\n  description: |\n    one\n    two\n")
	if c.Site.Title != "Field Notes" || c.Site.Description != "one\ntwo" {
		t.Errorf("title %q, description %q", c.Site.Title, c.Site.Description)
	}
}

func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pw"), "s3cret word\n")
	write(t, filepath.Join(dir, "db"), "sqlite:x.db\n")
	path := write(t, filepath.Join(dir, "config.yaml"), "mail: {smtp: {username: u, password_file: pw}}\ndatabase: {url_file: db}\n")
	c, err := config.Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Mail.SMTP.Password != "s3cret word" || c.Database.URL != "sqlite:"+filepath.Join(dir, "x.db") {
		t.Errorf("password %q, database %q", c.Mail.SMTP.Password, c.Database.URL)
	}
	write(t, filepath.Join(dir, "db"), "mysql://me:hush@h/n")
	write(t, filepath.Join(dir, "pw"), "\n")
	_, err = config.Load(path, nil)
	var faults config.Faults
	if !errors.As(err, &faults) || len(faults) != 2 || faults[0].Key != "mail.smtp.password_file" || faults[1].Key != "database.url_file" {
		t.Fatalf("Load gave:\n%v", err)
	}
	if strings.Contains(err.Error(), "hush") {
		t.Errorf("a fault tells the password:\n%v", err)
	}
}

func TestLoad(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := config.Load("config.yaml", nil)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "tidings init") || !strings.Contains(err.Error(), "--config") {
		t.Errorf("missing file: %v", err)
	}
	if _, err = config.Load(".", nil); err == nil {
		t.Error("a folder was taken for a configuration")
	}
	write(t, "config.yaml", "site: {title: 5}\n")
	if _, err = config.Load("config.yaml", nil); err == nil || !strings.HasPrefix(err.Error(), "config.yaml:1:15: site.title: ") {
		t.Errorf("fault: %v", err)
	}
	write(t, "config.yaml", "")
	c, err := config.Load("config.yaml", nil)
	if err != nil || !filepath.IsAbs(c.Posts.Dir) {
		t.Errorf("Load gave %v and a relative %s", err, c.Posts.Dir)
	}
}

func TestFaultOfAnotherPackage(t *testing.T) {
	c := parse(t, "newsletters:\n  weekly:\n    subject: '{{'\n")
	for key, want := range map[string]string{
		"newsletters.weekly.subject": "/etc/tidings/config.yaml:3:14: newsletters.weekly.subject: 100% wrong",
		"newsletters.weekly.title":   "/etc/tidings/config.yaml:2:3: newsletters.weekly.title: 100% wrong",
		"site.title":                 "/etc/tidings/config.yaml: site.title: 100% wrong",
	} {
		if got := c.Fault(key, "100% wrong").String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestTerms(t *testing.T) {
	c := parse(t, "terms:\n  tags:\n    C++: {slug: cplusplus, was: [cpp, Cee]}\n    a.b: {slug: x}\n    2024:\n")
	want := []config.Term{{Name: "C++", Slug: "cplusplus", Was: []string{"cpp", "Cee"}}, {Name: "a.b", Slug: "x"}, {Name: "2024"}}
	if diff := cmp.Diff(want, c.Terms.Tags); diff != "" {
		t.Error(diff)
	}
	if f := c.Fault(config.KeyPath("terms", "tags", "a.b", "slug"), "wrong"); f.Line != 4 || f.Column != 17 {
		t.Errorf("%v", f)
	}
	var b strings.Builder
	if err := c.Show(&b); err != nil || !strings.Contains(b.String(), "    \"C++\":\n      slug: cplusplus\n      content: \"\"\n      was: [cpp, Cee]\n") {
		t.Errorf("%v\n%s", err, b.String())
	}
	if again := parse(t, b.String()); !cmp.Equal(again.Terms, c.Terms, cmpopts.EquateEmpty()) {
		t.Errorf("shown and read again: %+v", again.Terms)
	}
	if _, err := config.Parse("c", []byte(`terms: {tags: {"": {}}}`), nil); err == nil {
		t.Error("a term without a name passes")
	}
	if _, err := config.Parse("c", []byte(`feeds: {preset: jekyll, formats: [rss]}`), nil); err == nil || !strings.Contains(err.Error(), "must have atom") {
		t.Errorf("error %v", err)
	}
}
