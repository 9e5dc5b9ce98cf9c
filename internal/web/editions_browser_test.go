package web_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"tidings/internal/newsletter"
	"tidings/internal/store"
	"tidings/internal/web"
)

// pageFaults gives what is wrong with a page as the browser lays it out: what
// sticks out, what cannot be read, what cannot be hit.
const pageFaults = `(() => {
	const faults = [], width = innerWidth;
	const say = (what, e) => { if (faults.length < 10) faults.push(what + ": " + (e.textContent || e.outerHTML).trim().slice(0, 60)); };
	if (document.documentElement.scrollWidth > width) faults.push("the page is " + document.documentElement.scrollWidth + " wide");
	const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
	const rgb = s => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = s; canvas.fillRect(0, 0, 1, 1); return canvas.getImageData(0, 0, 1, 1).data; };
	const luminance = p => { const [r, g, b] = [...p].slice(0, 3).map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const ground = e => { for (; e; e = e.parentElement) { const p = rgb(getComputedStyle(e).backgroundColor); if (p[3] == 255) return p; } return [255, 255, 255, 255]; };
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	let seen = 0;
	while (texts.nextNode()) {
		const e = texts.currentNode.parentElement, range = document.createRange();
		range.selectNodeContents(texts.currentNode);
		const rects = [...range.getClientRects()].filter(r => r.width > 1);
		if (!texts.currentNode.data.trim() || !rects.length || e.closest("[aria-hidden], .skip, script, style")) continue;
		seen++;
		const a = luminance(rgb(getComputedStyle(e).color)), b = luminance(ground(e)), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < 4.5) say("contrast of " + ratio.toFixed(2), e);
		for (const r of rects) if (r.left < -0.5 || r.right > width + 0.5) { say("a text from " + r.left + " to " + r.right, e); break; }
	}
	const least = matchMedia("(pointer: coarse)").matches ? 44 : 24; // WCAG 2.2, 2.5.5 and 2.5.8
	for (const e of document.querySelectorAll("main a, main button")) {
		const r = e.getBoundingClientRect();
		if (getComputedStyle(e).display != "inline" && r.height < least - 0.5) say("a target " + r.height + " high", e);
	}
	return {faults, seen, least, dark: luminance(ground(document.body)) < 0.2};
})()`

// pageLook is what pageFaults gives.
type pageLook struct {
	Faults []string
	Seen   int // texts
	Least  int // height of targets, in pixels
	Dark   bool
}

// pastOf is newsletter.Archive with issues that are hard on a list.
type pastOf struct {
	*issues
	past newsletter.PastIssues
}

func (a pastOf) PastIssues(_ context.Context, _ string, skip, limit int) (newsletter.PastIssues, error) {
	p := a.past
	p.Issues = p.Issues[min(skip, len(p.Issues)):min(skip+limit, len(p.Issues))]
	return p, nil
}

// pastIssues gives n issues with a subject and titles.
func pastIssues(n int, title, subject string, titles ...string) newsletter.PastIssues {
	p := newsletter.PastIssues{Title: title, Total: n}
	for i := range n {
		issue := newsletter.Issue{ID: int64(n - i), Permanent: fmt.Sprintf("tag:x,2025:%d", n-i), Date: noon.AddDate(0, 0, -7*i), Subject: subject, Posts: len(titles)}
		for _, t := range titles {
			issue.Content = append(issue.Content, store.Content{Title: t, URL: "https://blog.example/a/"})
		}
		p.Issues = append(p.Issues, issue)
	}
	return p
}

// TestIssuesInBrowser looks at lists of past editions as Chromium shows them, on
// phones, tablets and desks, in light and in dark.
func TestIssuesInBrowser(t *testing.T) {
	ctx := browser(t)
	many := make([]string, 300)
	for i := range many {
		many[i] = fmt.Sprintf("Post %d of three hundred", i)
	}
	long := strings.Repeat("Donaudampfschifffahrtsgesellschaft", 6)
	for name, c := range map[string]struct {
		language string
		past     newsletter.PastIssues
	}{
		"few":     {"en", pastIssues(3, "Weekly digest", "How to build a raised bed and 2 more posts", "How to build a raised bed", "Soup", "Soil")},
		"none":    {"en", pastIssues(0, "Weekly digest", "")},
		"screens": {"en", pastIssues(45, "Weekly digest", "Soup", "Soup")},
		"300":     {"en", pastIssues(2, "Weekly digest", "Post 0 and 299 more posts", many...)},
		"endless": {"de", pastIssues(2, long, long, long, "https://example.org/"+long)},
		"arabic":  {"ar", pastIssues(3, "النشرة الأسبوعية", "كيف تبني حوضاً مرتفعاً (C++ 20)", "كيف تبني حوضاً مرتفعاً", "Soup & <b>soil</b>")},
		"cjk":     {"ja", pastIssues(3, "週刊ダイジェスト", strings.Repeat("木材と土で花壇を作る", 12), strings.Repeat("木材と土で花壇を作る", 20))},
		"hostile": {"en", pastIssues(2, "<script>document.title='run'</script>", "\"><img src=x onerror=document.title='run'>", "</li></ul><style>*{display:none}</style>")},
	} {
		s := newSite(t, func(cfg *web.Config, d *web.Deps) {
			cfg.Language, cfg.Newsletters[0].Archive, d.Archive = c.language, true, pastOf{&issues{}, c.past}
		})
		srv := httptest.NewServer(s)
		do(t, ctx, chromedp.Navigate(srv.URL+"/newsletters/weekly/"))
		for _, width := range []int64{320, 600, 1200} {
			for _, scheme := range []string{"light", "dark"} {
				got := seePage(t, ctx, width, scheme)
				for _, f := range got.Faults {
					t.Errorf("%s, %d pixels, %s: %s", name, width, scheme, f)
				}
				if got.Seen < 5 || (got.Least == 44) != (width == 320) || got.Dark != (scheme == "dark") {
					t.Errorf("%s, %d pixels, %s: %+v", name, width, scheme, got)
				}
			}
		}
		if title, err := chromedp.Run(ctx, chromedp.Title()); err != nil || title == "run" {
			t.Errorf("%s: a script ran (%v)", name, err)
		}
		srv.Close()
	}
}

// seePage measures the present page on a screen.
func seePage(t *testing.T, ctx context.Context, width int64, scheme string) pageLook {
	t.Helper()
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
		t.Fatal(err)
	}
	screen := chromedp.EmulateViewport(width, 800)
	if width < 600 {
		screen = chromedp.EmulateViewport(width, 800, chromedp.EmulateMobile, chromedp.EmulateTouch) // fingers need more room
	}
	do(t, ctx, screen)
	got, err := chromedp.Run(ctx, chromedp.Evaluate[pageLook](pageFaults))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestIssueInBrowser opens an edition, which is a mail with whatever a
// newsletter's templates put into it: the styles work, links open, scripts and
// forms do not.
func TestIssueInBrowser(t *testing.T) {
	ctx := browser(t)
	s := newSite(t, archive(&issues{total: 7}), func(_ *web.Config, d *web.Deps) { d.Archive = pastMail{} })
	srv := httptest.NewServer(s)
	defer srv.Close()
	do(t, ctx, chromedp.Navigate(srv.URL+"/newsletters/weekly/7/"))
	type seen struct{ Title, Colour, Text string }
	got, err := chromedp.Run(ctx, chromedp.Evaluate[seen](`({title: document.title, colour: getComputedStyle(document.querySelector("p")).color, text: document.body.innerText})`))
	if err != nil || got.Title != "A mail" || got.Colour != "rgb(0, 128, 0)" || !strings.Contains(got.Text, "Words") || strings.Contains(got.Text, "run") {
		t.Errorf("%+v, %v", got, err)
	}
	opened := chromedp.WaitNewTarget(ctx, func(*target.Info) bool { return true })
	do(t, ctx, chromedp.Click(chromedp.CSS("#blank")))
	select {
	case <-opened:
	case <-ctx.Done():
		t.Error("a link opens no window")
	}
	do(t, ctx, chromedp.Click(chromedp.CSS("#go")), chromedp.WaitVisible(chromedp.CSS("main")))
	if got := headingOf(t, ctx); got != "Weekly <digest>" {
		t.Errorf("a link led to %q", got)
	}
}

// pastMail has one edition, of hostile HTML.
type pastMail struct{}

func (pastMail) PastIssues(ctx context.Context, name string, skip, limit int) (newsletter.PastIssues, error) {
	return (&issues{total: 7}).PastIssues(ctx, name, skip, limit)
}

func (pastMail) Issue(context.Context, string, string) (newsletter.IssuePage, error) {
	return newsletter.IssuePage{Newsletter: "weekly", HTML: []byte(`<!doctype html><title>A mail</title><style>p{color:green}</style>
<p>Words</p><a id="blank" target="_blank" href="/newsletters/weekly/">a</a> <a id="go" href="/newsletters/weekly/">b</a>
<script>document.title = "run"; document.body.innerHTML = "run"</script><img src="data:," onerror="document.title='run'">
<a href="javascript:document.title='run'">x</a><meta http-equiv="refresh" content="0;url=data:text/html,run"><iframe src="/"></iframe>`)}, nil
}
