package post_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/post"
)

// withFields parses a post with these lines of YAML front matter.
func withFields(t testing.TB, lines string) *post.Post {
	t.Helper()
	return parse(t, "2024-05-07-the-name.md", "---\n"+lines+"\n---\nThe body.\n")
}

func TestDates(t *testing.T) {
	for written, want := range map[string]string{
		"2015-10-19T00:00:00Z":                     "2015-10-19T00:00:00Z",
		"2026-07-16 05:08:11 +0000":                "2026-07-16T05:08:11Z",
		"2012-01-02 9:05:00 -0400":                 "2012-01-02T09:05:00-04:00",
		"2015-03-17 14:00:00 -4":                   "2015-03-17T14:00:00-04:00",
		"2023-1-5":                                 "2023-01-05T00:00:00+01:00",
		"2024-5-7 09:00:00":                        "2024-05-07T09:00:00+02:00",
		"2024-05-07 09:00":                         "2024-05-07T09:00:00+02:00",
		"2020/7/13 20:46:25":                       "2020-07-13T20:46:25+02:00",
		"2020-07-13T10:00:00.125Z":                 "2020-07-13T10:00:00.125Z",
		"'2020-07-13 10:00 '":                      "2020-07-13T10:00:00+02:00",
		"\"2020-07-13\"   ":                        "2020-07-13T00:00:00+02:00",
		"2020-07-13T10:00:00+0530":                 "2020-07-13T10:00:00+05:30",
		"2020-07-13 10:00:00 UTC":                  "2020-07-13T10:00:00Z",
		"2020-07-13 10:00:00 -0400 EDT":            "2020-07-13T10:00:00-04:00",
		"2020-07-13 10:00 America/New_York":        "2020-07-13T10:00:00-04:00",
		"2020-07-13 1:05 PM":                       "2020-07-13T13:05:00+02:00",
		"2020.07.13":                               "2020-07-13T00:00:00+02:00",
		"20200713":                                 "2020-07-13T00:00:00+02:00",
		"20200713T101530Z":                         "2020-07-13T10:15:30Z",
		"Jul 08 2022":                              "2022-07-08T00:00:00+02:00",
		"July 8th, 2022":                           "2022-07-08T00:00:00+02:00",
		"8 Jul 2022 10:00":                         "2022-07-08T10:00:00+02:00",
		"Fri, 08 Jul 2022 10:00:00 GMT":            "2022-07-08T10:00:00Z",
		"Fri Jul 08 2022 10:00:00 GMT+0200 (CEST)": "2022-07-08T10:00:00+02:00",
		"1594634400":                               "2020-07-13T10:00:00Z",
		"9999-12-31":                               "9999-12-31T00:00:00+01:00",
		"1970-01-01":                               "1970-01-01T00:00:00+01:00",
		"2024-02-29":                               "2024-02-29T00:00:00+01:00",
		"!!timestamp 2024-02-29T10:00:00-07:00":    "2024-02-29T10:00:00-07:00",
	} {
		p, problems, err := post.Parse("x.md", []byte("---\ndate: "+written+"\n---\n"), post.Options{Location: zone(t, "Europe/Berlin")})
		if err != nil || len(problems) > 0 {
			t.Errorf("date: %s: %v %v", written, err, problems)
			continue
		}
		if got := p.Published.Format(time.RFC3339Nano); got != want {
			t.Errorf("date: %s is read as %s, want %s", written, got, want)
		}
	}
}

func TestDatesThatAreNone(t *testing.T) {
	for _, written := range []string{
		"2023-01-29 18:30:22 2023 -0800", "05/07/2024", "2024-13-01", "2024-02-30", "2023-02-29", "2024-00-10", "12026-01-01",
		"1969-12-31", "0001-01-01T00:00:00Z", "2024-05-07 25:00", "2024-05-07 10:61", "2024-05-07 10:00 EST", "2024-05-07 10:00 +1500",
		"tomorrow", "2024", "Juk 8 2022", "Last Modified", "[2024-05-07]", "9999-12-31T23:00:00-05:00", "2024-05-07 13:00 PM", "2024-05-07 10:00 ../../etc/passwd",
	} {
		if p, _, err := post.Parse("x.md", []byte("---\ndate: "+written+"\n---\n"), post.Options{}); err == nil {
			t.Errorf("date: %s is read as %v", written, p.Published)
		}
	}
}

func TestWhichDateCounts(t *testing.T) {
	for name, c := range map[string]struct{ file, src, want string }{
		"front matter over name":   {"2020-01-01-x.md", "date: 2021-01-01", "2021-01-01"},
		"release after date":       {"x.md", "date: 2021-01-01\npublishDate: 2022-01-01", "2022-01-01"},
		"date after release":       {"x.md", "date: 2021-01-01\npubDate: 2020-01-01", "2021-01-01"},
		"published as a date":      {"x.md", "published: 2021-01-01", "2021-01-01"},
		"created as a last resort": {"x.md", "createdAt: 2021-01-01", "2021-01-01"},
		"not created":              {"x.md", "created: 2019-01-01\ndate: 2021-01-01", "2021-01-01"},
		"name":                     {"a/2020-1-2-x.md", "title: x", "2020-01-02"},
		"name over folder":         {"2019/03/04/2020-1-2-x.md", "title: x", "2020-01-02"},
		"folders":                  {"blog/2019/3/4/x.md", "title: x", "2019-03-04"},
		"folder":                   {"blog/2019-03-04-x/index.md", "title: x", "2019-03-04"},
		"folder of a day":          {"2019-03-04/x.md", "title: x", "2019-03-04"},
		"folders of a bundle":      {"2019/03/04/index.md", "title: x", "2019-03-04"},
		"path":                     {"x.md", "path: a/2018/05/06/x", "2018-05-06"},
		"permalink":                {"x.md", "permalink: /2018/05/06/x/", "2018-05-06"},
		"no day of the calendar":   {"2018/05/99/x.md", "date: 2021-01-01", "2021-01-01"},
	} {
		p := parse(t, c.file, "---\n"+c.src+"\n---\n")
		if got := p.Published.Format(time.DateOnly); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestUpdatedAndExpires(t *testing.T) {
	p := withFields(t, "lastmod: 2024-06-01\nexpiryDate: 2030-01-01")
	if p.Updated.Format(time.DateOnly) != "2024-06-01" || p.Expires.Format(time.DateOnly) != "2030-01-01" {
		t.Errorf("updated %v, expires %v", p.Updated, p.Expires)
	}
	for _, field := range []string{"last_modified_at: 2024-06-01", "updatedDate: 2024-06-01", "updated: 2024-06-01", "last_update: {date: 2024-06-01}"} {
		if p := withFields(t, field); p.Updated.Format(time.DateOnly) != "2024-06-01" {
			t.Errorf("%s: %v", field, p.Updated)
		}
	}
	for _, field := range []string{"lastmod: :git", "updated: Last Modified", "cms_date: 2024-06-01"} {
		if p := withFields(t, field); !p.Updated.IsZero() {
			t.Errorf("%s: %v", field, p.Updated)
		}
	}
}

func TestHidden(t *testing.T) {
	for lines, want := range map[string]string{
		"draft: true":                          "draft",
		"Draft: \"yes\"":                       "draft",
		"draft: false":                         "",
		"draft:":                               "",
		"published: false":                     "published: false",
		"published: no":                        "published: false",
		"published: true":                      "",
		"headless: true":                       "headless",
		"unlisted: true":                       "unlisted",
		"eleventyExcludeFromCollections: true": "eleventyExcludeFromCollections",
		"permalink: false":                     "permalink: false",
		"render: false":                        "render: false",
		"build: {list: never}":                 "build.list: never",
		"_build: {render: never}":              "build.render: never",
		"build: {list: always}":                "",
		"status: draft":                        "status: draft",
		"status: published":                    "",
		"redirect_to: /x/":                     "redirects to /x/",
		"redirect: /x/":                        "redirects to /x/",
		"redirect_from: /x/":                   "",
		"date: 2999-01-01":                     "",
	} {
		if got := withFields(t, lines).Hidden; got != want {
			t.Errorf("%s: hidden %q, want %q", lines, got, want)
		}
	}
}

func TestTitles(t *testing.T) {
	for written, want := range map[string]string{
		"Plain":                          "Plain",
		"1.10":                           "1.10",
		"007":                            "007",
		"2024-05-07":                     "2024-05-07",
		"true":                           "true",
		`""`:                             "",
		"'*One* **two** `three` _four_'": "One two three four",
		"'[a link](/x) and ![a](b.png)'": "a link and a",
		"A <em>b</em> <br/>c":            "A b c",
		"'Vec<T> and List<String>'":      "Vec<T> and List<String>",
		"'`Vec<b>` &amp; `&amp;`'":       "Vec<b> & &amp;",
		"AT&amp;T &lt;b&gt;":             "AT&T <b>",
		"R&D and snake_case_name":        "R&D and snake_case_name",
		"Python's __init__ method":       "Python's __init__ method",
		"'# 1'":                          "# 1",
		"1. First":                       "1. First",
		"'2 * 3 * 4'":                    "2 * 3 * 4",
		"\"a\\tb\\x00\\u0007 c\"":        "a b c",
		"'{{ x }} and {% y %}z'":         "and z",
		"'\\*not\\* emphasis'":           "*not* emphasis",
		"!!str 12":                       "12",
	} {
		if got := withFields(t, "title: "+written).Title; got != want {
			t.Errorf("title: %s gives %q, want %q", written, got, want)
		}
	}
	if got := withFields(t, "layout: post").Title; got != "The Name" {
		t.Errorf("title from the name: %q", got)
	}
	if got := parse(t, "the-name.md", "---\ndate: 2024-05-07\n---\n").Title; got != "" {
		t.Errorf("title from a name without a date: %q", got)
	}
}

func TestTerms(t *testing.T) {
	for lines, want := range map[string][2]string{
		"category: Best Practices":                             {"Best Practices", ""},
		"category: a\ncategories: [b]":                         {"a", ""},
		"categories: one two":                                  {"one|two", ""},
		"categories: one two, three":                           {"one two|three", ""},
		"categories: \"Best Practices\"":                       {"Best|Practices", ""},
		"categories: [Best Practices]":                         {"Best Practices", ""},
		"categories:\n- [Sports, Baseball]\n- Play":            {"Sports|Baseball|Play", ""},
		"categories: null\ntags: ~":                            {"", ""},
		"categories: 2024":                                     {"2024", ""},
		"topics: [a, b]":                                       {"a|b", ""},
		"topics: [a]\ncategories: [b]":                         {"b", ""},
		"taxonomies: {categories: [a], tags: [b]}":             {"a", "b"},
		"tags: security":                                       {"", "security"},
		"tags: one two one":                                    {"", "one|two"},
		"tag: one two":                                         {"", "one two"},
		"tags: [API, api, Open Science, open-science, C, C++]": {"", "API|Open Science|C|C++"},
		"tags: [1, 2.50, true, null, '']":                      {"", "1|2.50|true"},
		"TAGS: [x]":                                            {"", "x"},
	} {
		p := withFields(t, lines)
		if got := strings.Join(p.Categories, "|"); got != want[0] {
			t.Errorf("%s: categories %q, want %q", lines, got, want[0])
		}
		if got := strings.Join(p.Tags, "|"); got != want[1] {
			t.Errorf("%s: tags %q, want %q", lines, got, want[1])
		}
	}
	p := parse(t, "x.md", "+++\ndate = 2024-05-07\ntags = \"one tag\"\n+++\n")
	if got := strings.Join(p.Tags, "|"); got != "one tag" {
		t.Errorf("a string in TOML: %q", got)
	}
}

func TestPeopleAndPictures(t *testing.T) {
	for lines, want := range map[string][2]string{
		"author: Ann":                              {"Ann", ""},
		"authors: [Ann, Bob, Ann]":                 {"Ann|Bob", ""},
		"author: {name: Ann, email: a@b.example}":  {"Ann", ""},
		"authors: [Ann <ann@example.org>, 'Bob']":  {"Ann|Bob", ""},
		"author: '\"Ann B.\" <a@example.org>'":     {"Ann B.", ""},
		"authors: [{name: Ann}, Bob]":              {"Ann|Bob", ""},
		"by: [Ann]":                                {"Ann", ""},
		"params: {author: Ann}":                    {"Ann", ""},
		"image: /a.png":                            {"", "/a.png"},
		"image: {path: /a.png, alt: x}":            {"", "/a.png"},
		"image: {feature: a.png}":                  {"", "a.png"},
		"images: [a.png, b.png]":                   {"", "a.png"},
		"image:\nimages: [a.png]":                  {"", "a.png"},
		"cover: {image: a.png}":                    {"", "a.png"},
		"featured_image: a.png":                    {"", "a.png"},
		"heroImage: ./a.png":                       {"", "./a.png"},
		"hero: false\nthumbnail: a.png":            {"", "a.png"},
		"image: \"{{ '/a.png' | relative_url }}\"": {"", "/a.png"},
		"image: \"{{ site.cdn }}/a.png\"":          {"", ""},
		"image: {url: https://cdn.example/a.png}":  {"", "https://cdn.example/a.png"},
	} {
		p := withFields(t, lines)
		if got := strings.Join(p.Authors, "|"); got != want[0] {
			t.Errorf("%s: authors %q, want %q", lines, got, want[0])
		}
		if p.Image != want[1] {
			t.Errorf("%s: image %q, want %q", lines, p.Image, want[1])
		}
	}
}

func TestAddresses(t *testing.T) {
	for lines, want := range map[string][2]string{ // link, slug
		"layout: x":                               {"", "the-name"},
		"slug: Other Name":                        {"", "other-name"},
		"slug: ../../etc":                         {"", "etc"},
		"slug: 日本語":                               {"", "日本語"},
		"url: /a/b.html":                          {"/a/b.html", "b"},
		"url: a/B/":                               {"/a/B/", "b"},
		"path: 2015/02/13/Foo-1.0":                {"/2015/02/13/Foo-1.0/", "foo-1-0"},
		"path: /gatsby/post":                      {"/gatsby/post", "post"},
		"permalink: /a/index.html":                {"/a/", "a"},
		"permalink: /:year/:i_month/:day/:title/": {"/2024/5/07/the-name/", "the-name"},
		"permalink: /:categories/:title:output_ext\ncategories: [A b, c]": {"/a-b/c/the-name.html", "the-name"},
		"permalink: pretty":                       {"", "the-name"},
		"permalink: \"/{{ x }}/\"":                {"", "the-name"},
		"permalink: https://other.example/x/?a=b": {"https://other.example/x/?a=b", "x"},
		"permalink: //other.example/x":            {"", "the-name"},
		"permalink: /a/\nslug: mine":              {"/a/", "mine"},
		"url: /%E6%97%A5/":                        {"/日/", "日"},
	} {
		p := withFields(t, lines)
		if p.Link != want[0] || p.Slug != want[1] {
			t.Errorf("%s: link %q slug %q, want %q", lines, p.Link, p.Slug, want)
		}
	}
	p := withFields(t, "aliases: [/a/, b, 'https://other.example/c/', '', /a/]\nredirect_from: /../d.html")
	if want := []string{"/a/", "/b", "/c/", "/d.html"}; !slices.Equal(p.Aliases, want) {
		t.Errorf("aliases %q, want %q", p.Aliases, want)
	}
}

func TestFullText(t *testing.T) {
	if p := withFields(t, "title: x"); p.FullText != nil {
		t.Error("a choice nobody made")
	}
	for lines, want := range map[string]bool{"full_text: true": true, "fullText: no": false, "feed: {excerpt_only: true}": false} {
		if p := withFields(t, lines); p.FullText == nil || *p.FullText != want {
			t.Errorf("%s: %v", lines, p.FullText)
		}
	}
}

func TestSummaries(t *testing.T) {
	words := strings.TrimSpace(strings.Repeat("word ", 60))
	for name, c := range map[string]struct{ front, body, want string }{
		"description":     {"description: '*A* &amp; b'\nexcerpt: no", "body", "A & b"},
		"excerpt":         {"excerpt: An excerpt", "body", "An excerpt"},
		"more":            {"", "one\n\ntwo\n\n<!--more-->\n\nthree", "one two"},
		"more mid-line":   {"", "one <!-- more --> two", "one"},
		"more in code":    {"", "`<!--more-->` one\n\ntwo", "<!--more--> one"},
		"separator":       {"excerpt_separator: <!--cut-->", "one\n\ntwo<!--cut-->\n\nthree", "one two"},
		"paragraph":       {"", "# Head\n\n![x](y.png)\n\n```\ncode\n```\n\nThe *first*\nparagraph[^1].\n\nSecond.\n\n[^1]: x", "The first paragraph."},
		"reference":       {"", "A [link][x].\n\n" + strings.Repeat(words+"\n\n", 40) + "[x]: /y", "A link."},
		"late paragraph":  {"", strings.Repeat("## "+words+"\n\n", 40) + "Here it is.", "Here it is."},
		"list":            {"", "- one\n- two", "one two"},
		"template":        {"", "{% include x %}\n\n{: .lead}\nHello {{ name }}!", "Hello !"},
		"html":            {"", "<div><p>In &lt;HTML&gt;</p></div>", "In <HTML>"},
		"long":            {"", words, strings.TrimSpace(strings.Repeat("word ", 32)) + "…"},
		"long, no blanks": {"", strings.Repeat("長", 200), strings.Repeat("長", 159) + "…"},
		"nothing":         {"", "", ""},
	} {
		if got := withFieldsAndBody(t, c.front, c.body).Summary; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func withFieldsAndBody(t testing.TB, lines, body string) *post.Post {
	t.Helper()
	return parse(t, "2024-05-07-x.md", "---\n"+lines+"\n---\n"+body)
}

// TestBlankValues: what a starter template left blank does not hide what its
// user filled in.
func TestBlankValues(t *testing.T) {
	p, _, err := post.Parse("a.md", []byte("---\ntitle: A\ndate: 2026-01-01\ndescription: \"\"\nexcerpt: Filled in\nauthor: \"\"\nauthors: [Zoë]\n---\nBody\n"), post.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Summary != "Filled in" || len(p.Authors) != 1 || p.Authors[0] != "Zoë" {
		t.Errorf("summary %q, authors %q", p.Summary, p.Authors)
	}
}

func TestFilesThatAreNoPosts(t *testing.T) {
	for _, text := range []string{"", "\n \n", "\ufeff"} {
		if _, _, err := post.Parse("2026-01-01-a.md", []byte(text), post.Options{}); !errors.Is(err, post.ErrNotPost) {
			t.Errorf("%q: %v, want ErrNotPost", text, err)
		}
	}
	var problem post.Problem
	if _, _, err := post.Parse("a.md", []byte("#+title: A\n#+date: 2026-01-01\n\nx\n"), post.Options{}); !errors.As(err, &problem) || problem.Line != 1 {
		t.Errorf("Org front matter: %v, want a problem", err)
	}
}

// Pictures alone say what they show, if nothing else does.
func TestSummaryOfPictures(t *testing.T) {
	for body, want := range map[string]string{
		"![](a.png)\n\n![A cat &amp; a dog](b.png)\n":  "A cat & a dog",
		"![A cat](a.png)\n\nIt sleeps.\n":              "It sleeps.",
		"![A cat](a.png)\n\n- a list\n":                "a list",
		"![](a.png)\n":                                 "",
		"![—](a.png)\n":                                "—",
		"<figure><img src=a.png alt='A cat'></figure>": "A cat",
	} {
		p, _, err := post.Parse("x.md", []byte("---\ndate: 2024-05-07\n---\n"+body), post.Options{})
		if err != nil || p.Summary != want {
			t.Errorf("%q is summed up as %q, want %q (%v)", body, p.Summary, want, err)
		}
	}
}
