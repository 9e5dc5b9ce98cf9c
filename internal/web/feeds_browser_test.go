package web_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/log"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"tidings/internal/post"
	"tidings/internal/web"
)

// visible gives the texts that a document shows, before them what its style
// sheet says about it.
const visible = `(() => {
	const shown = [getComputedStyle(document.documentElement, "::before").content]
	const texts = document.createTreeWalker(document, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_CDATA_SECTION)
	while (texts.nextNode()) {
		const text = texts.currentNode.data.trim()
		if (text && texts.currentNode.parentElement.getClientRects().length) shown.push(text)
	}
	return shown
})()`

// Who opens a feed in a browser sees what it is and the posts in it, and
// nothing of what is for programs.
func TestFeedsShownInBrowser(t *testing.T) {
	ctx := browser(t)
	s := newSite(t)
	srv := httptest.NewServer(s) // by another name than the feeds' own
	defer srv.Close()
	complaints := listen(t, ctx)
	for path, want := range map[string][]string{
		"/tags/cpp/feed.xml": {"This is a feed.", "Field Notes: #C++", "Field Notes: #C++", "Elsewhere", "On another site.", "Wed, 26 Mar 2025 12:00:00 +0000"},
		"/tags/cpp/atom.xml": {"This is a feed.", "Field Notes: #C++", "Elsewhere", "On another site.", "2025-03-26T12:00:00Z"},
		"/feeds.opml":        {"This is a list of feeds.", "Field Notes"},
	} {
		do(t, ctx, chromedp.Navigate(srv.URL+path))
		shown, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](visible))
		if err != nil {
			t.Fatal(err)
		}
		if len(shown) != len(want) || !strings.Contains(shown[0], want[0]) || !sameTexts(shown[1:], want[1:]) {
			t.Errorf("%s shows %q, want %q", path, shown, want)
		}
	}
	if got := complaints(); len(got) > 0 {
		t.Errorf("the browser complains: %q", got)
	}
}

func sameTexts(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// A visitor combines a feed, and signs up for the same by mail.
func TestCombinedFeedInBrowser(t *testing.T) {
	ctx := browser(t)
	s := newSite(t)
	srv := httptest.NewServer(s)
	defer srv.Close()
	complaints := listen(t, ctx)
	do(t, ctx,
		chromedp.Navigate(srv.URL+"/feeds/"),
		chromedp.Click(chromedp.CSS(`.builder input[value="notes"]`)),
		chromedp.SendKeys(chromedp.CSS("#tag"), "C++, cloud"),
		chromedp.Click(chromedp.CSS(".builder button")),
		chromedp.WaitVisible(chromedp.CSS("#take")))
	if got := headingOf(t, ctx); got != "Notes or #cloud or #C++" {
		t.Errorf("the page of the combined feed is called %q", got)
	}
	do(t, ctx,
		chromedp.SendKeys(chromedp.CSS("#email"), "ann@example.org"),
		chromedp.Click(chromedp.CSS("form[method=post] button")),
		chromedp.WaitVisible(chromedp.CSS(".good")))
	if got := s.people.asked; len(got) != 1 || !slices.Equal(got[0].Categories, []string{"notes"}) || !slices.Equal(got[0].Tags, []string{"cloud", "cpp"}) {
		t.Errorf("signed up for %+v", got)
	}
	if got := complaints(); len(got) > 0 {
		t.Errorf("the browser complains: %q", got)
	}
}

// The button beside an address copies it; where that cannot be, there is none.
func TestCopyAddressInBrowser(t *testing.T) {
	ctx := browser(t)
	s := newSite(t)
	srv := httptest.NewServer(s)
	defer srv.Close()
	const copied = "window.copied"
	complaints := listen(t, ctx)
	do(t, ctx,
		chromedp.Navigate(srv.URL+"/feeds/tags/cpp/"),
		chromedp.Evaluate[chromedp.Void](`navigator.clipboard.writeText = async text => { `+copied+` = text }`),
		chromedp.Click(chromedp.CSS(".addresses div:nth-child(2) button")))
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string](copied))
	if want := base + "/tags/cpp/atom.xml"; err != nil || got != want {
		t.Errorf("copied %q, want %q (%v)", got, want, err)
	}
	if got := complaints(); len(got) > 0 {
		t.Errorf("the browser complains: %q", got)
	}
	_, err = chromedp.Call(ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: "delete Navigator.prototype.clipboard"})
	if err != nil {
		t.Fatal(err)
	}
	do(t, ctx, chromedp.Navigate(srv.URL+"/feeds/tags/cpp/"))
	shown, err := chromedp.Run(ctx, chromedp.Evaluate[int](`[...document.querySelectorAll("button.copy")].filter(b => b.getClientRects().length).length`))
	if err != nil || shown != 0 {
		t.Errorf("%d buttons where nothing can be copied (%v)", shown, err)
	}
}

// listen gives what the browser complains of from now on: violated policies,
// files that are missing, faults of scripts.
func listen(t *testing.T, ctx context.Context) (complaints func() []string) {
	t.Helper()
	var mu sync.Mutex
	var all []string
	add := func(s string) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, s)
	}
	do(t, ctx, chromedp.Navigate("about:blank"))
	err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *log.EventEntryAdded:
			add(fmt.Sprintf("%s: %s (%s)", e.Entry.Level, e.Entry.Text, e.Entry.URL))
		case *runtime.EventExceptionThrown:
			add(e.ExceptionDetails.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

// Names that cannot be broken where words end, in scripts of both directions.
func awkwardPosts() []*post.Post {
	long := strings.Repeat("Donaudampfschifffahrt", 4)
	return []*post.Post{
		{Title: long, Slug: "long", Language: "de", Categories: []string{"Rechtsschutzversicherungsgesellschaftenangestellte"}, Tags: []string{long, "C++", "أتمتة"}, Summary: long, Body: "<p>" + long + "</p>"},
		{Title: strings.Repeat("長い題名", 20), Slug: "cjk", Language: "ja", Tags: []string{strings.Repeat("長い名前", 15)}, Summary: "本文", Body: "<p>本文</p>"},
	}
}

func awkward(c *web.Config, _ *web.Deps) { c.Title, c.Language = "مذكرات ميدانية", "ar" }
