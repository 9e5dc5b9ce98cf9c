package digest_test

import (
	"context"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"tidings/internal/digest"
)

// measure gives what is wrong with a mail as the browser lays it out: what
// sticks out, what cannot be read, what cannot be hit.
const measure = `(() => {
	const faults = [], width = innerWidth, doc = document.documentElement;
	const say = (what, e) => { if (faults.length < 10) faults.push(what + ": " + (e.textContent || e.outerHTML).trim().slice(0, 60)); };
	if (doc.scrollWidth > width) faults.push("the document is " + doc.scrollWidth + " wide");
	const rgb = s => s.match(/[\d.]+/g).map(Number);
	const luminance = s => { const [r, g, b] = rgb(s).map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor, p = rgb(c); if (p.length < 4 || p[3] == 1) return c; } return "rgb(255, 255, 255)"; };
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	let seen = 0;
	while (texts.nextNode()) {
		const e = texts.currentNode.parentElement, range = document.createRange();
		range.selectNodeContents(texts.currentNode);
		if (!texts.currentNode.data.trim() || !range.getClientRects().length) continue;
		seen++;
		const style = getComputedStyle(e), a = luminance(style.color), b = luminance(ground(e));
		if ((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5) say("contrast of " + style.color + " on " + ground(e), e);
		if (parseFloat(style.fontSize) < 16) say("a text of " + style.fontSize, e);
		for (const r of range.getClientRects()) if (r.left < 0 || r.right > width + 0.5) { say("a text from " + r.left + " to " + r.right, e); break; }
	}
	for (const e of document.querySelectorAll("a")) {
		const r = e.getBoundingClientRect();
		if (getComputedStyle(e).display != "inline" && r.height < 44) say("a target " + r.height + " high", e);
	}
	for (const e of document.images) if (e.getBoundingClientRect().right > width) say("an image too wide", e);
	const pictures = [...document.images].filter(e => e.naturalWidth == 2000).length;
	const column = document.querySelector("table table").getBoundingClientRect();
	return {faults, seen, pictures, column: column.width, left: column.left, right: width - column.right, ground: getComputedStyle(document.body).backgroundColor};
})()`

type layout struct {
	Faults              []string
	Seen                int // texts that can be seen
	Pictures            int // of 2000 pixels
	Column, Left, Right float64
	Ground              string // colour of the page
}

// TestInBrowser looks at mails of many kinds as Chromium shows them, on phones,
// tablets and desks, in light and in dark.
func TestInBrowser(t *testing.T) {
	ctx := browser(t)
	var shown string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wide.png" {
			png.Encode(w, image.NewGray(image.Rect(0, 0, 2000, 100)))
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'")
		fmt.Fprint(w, shown)
	}))
	defer srv.Close()
	for name, in := range looks(srv.URL + "/wide.png") {
		t.Run(name, func(t *testing.T) {
			shown = compose(t, in).HTML
			for _, width := range []int64{320, 600, 1200} {
				for _, scheme := range []string{"light", "dark"} {
					got := look(t, ctx, srv.URL, width, scheme)
					for _, f := range got.Faults {
						t.Errorf("%d pixels, %s: %s", width, scheme, f)
					}
					if wanted := strings.Count(shown, srv.URL+"/wide.png"); got.Pictures != wanted {
						t.Errorf("%d pictures are shown, want %d", got.Pictures, wanted)
					}
					if want := float64(min(600, width-16)); got.Column != want || got.Left != got.Right {
						t.Errorf("%d pixels: the column is %v wide, with %v and %v beside it", width, got.Column, got.Left, got.Right)
					}
					if dark := got.Ground == "rgb(19, 21, 23)"; dark != (scheme == "dark") || got.Seen < 8 {
						t.Errorf("%d pixels, %s: the page is %s, with %d texts", width, scheme, got.Ground, got.Seen)
					}
				}
			}
		})
	}
}

func look(t *testing.T, ctx context.Context, url string, width int64, scheme string) layout {
	t.Helper()
	media := chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 800), media, chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	got, err := chromedp.Run(ctx, chromedp.Evaluate[layout](measure))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// looks are mails that have gone wrong before, here or elsewhere.
func looks(wide string) map[string]digest.Input {
	endless := sample(3)
	endless.Items[0].Title = strings.Repeat("Donaudampfschifffahrtsgesellschaft", 8)
	endless.Items[0].Summary = "https://example.org/" + strings.Repeat("a/very/long/address/", 20)
	endless.Items[0].Tags = []string{strings.Repeat("tag", 40), "b"}
	endless.Newsletter.PostalAddress = strings.Repeat("Street", 50)
	endless.Intro = "`" + strings.Repeat("code", 60) + "`\n\n    " + strings.Repeat("pre", 100)

	hebrew := sample(12)
	hebrew.Language, hebrew.Site.Language, hebrew.Site.Title = "ar", "ar", "البيت"
	for i := range hebrew.Items {
		hebrew.Items[i].Title, hebrew.Items[i].Summary = "كيف تبني حوضاً مرتفعاً (C++ 20)", strings.Repeat("الخشب والتربة وبعد الظهر كل ما تحتاجه. ", 5)
	}

	japanese := sample(12)
	japanese.Language, japanese.Site.Language = "ja", "ja"
	for i := range japanese.Items {
		japanese.Items[i].Title, japanese.Items[i].Summary = strings.Repeat("木材と土と午後のひとときで花壇を作る。", 5), strings.Repeat("そこで育てる野菜について", 20)
	}

	nasty := sample(len(hostile))
	for i, s := range hostile {
		nasty.Items[i].Title, nasty.Items[i].Summary, nasty.Items[i].Categories, nasty.Items[i].Tags = s, s, []string{s}, []string{s}
	}
	nasty.Site.Title, nasty.Newsletter.Title, nasty.Intro = hostile[2], hostile[3], hostile[17]

	pictures := sample(2)
	pictures.Intro, pictures.Items[0].Image, pictures.Items[0].ImageAlt = "![x]("+wide+")", wide, strings.Repeat("What the picture shows ", 8)

	bare := sample(1)
	bare.Items[0] = digest.Item{Image: "https://house.example/absent.png"}

	complete := sample(11)
	complete.WebFolder, complete.Frequency, complete.Topics = "https://news.house.example/newsletters/weekly/", "weekly", []string{"Gardening", "Kitchen"}
	complete.Intro, complete.Items[3].Again = "## Dear readers\n\nThis [week](/week/)…\n\n* a\n* b\n\n> c", true

	return map[string]digest.Input{
		"a few posts": sample(3), "everything": complete, "300 posts": sample(300), "endless words": endless, "Arabic": hebrew,
		"Japanese": japanese, "hostile": nasty, "a picture": pictures, "only a picture": bare,
	}
}

// browser starts Chromium, or skips the test where there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no chromium: install Debian's chromium")
		}
		t.Skip("no chromium: install Debian's chromium")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.Flag("disable-gpu", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	return ctx
}
