package web_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"tidings/internal/store"
	"tidings/internal/token"
	"tidings/internal/web"
)

// letters are two newsletters, for forms with something to choose.
func letters(c *web.Config, _ *web.Deps) {
	c.Newsletters = append(c.Newsletters, web.Newsletter{Name: "monthly", Title: "Monthly letter", Frequencies: store.Cadences, Zone: "Europe/Berlin"})
}

// shown asks forms for a token, and gives the hand that moves the clock on.
func shown(t *testing.T, g web.Guard) (o options, later func(time.Duration)) {
	t.Helper()
	key, err := token.NewKey(bytes.Repeat([]byte{3}, 32))
	if err != nil {
		t.Fatal(err)
	}
	g.Stamps = key
	var passed atomic.Int64
	o = func(c *web.Config, d *web.Deps) {
		c.SignUp = g
		d.Now = func() time.Time { return noon.Add(time.Duration(passed.Load())) }
	}
	return o, func(d time.Duration) { passed.Add(int64(d)) }
}

// script lets scripts run or not.
func script(t *testing.T, ctx context.Context, on bool) {
	t.Helper()
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}); err != nil {
		t.Fatal(err)
	}
}

// A visitor in Ljubljana signs up in one step: the script has a token, has
// solved its puzzle, and knows the zone, which the list does not have.
func TestSignUpInOneStepInBrowser(t *testing.T) {
	ctx := browser(t)
	if _, err := chromedp.Call(ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Europe/Ljubljana"}); err != nil {
		t.Fatal(err)
	}
	complaints := listen(t, ctx)
	for path, want := range map[string]string{"/tags/cpp/": "[cpp]", "/subscribe?tag=cloud": "[cloud]"} {
		asking, _ := shown(t, web.Guard{ProofOfWork: 10})
		s := newSite(t, asking)
		srv := httptest.NewServer(s)
		do(t, ctx,
			chromedp.Navigate(srv.URL+path),
			chromedp.SendKeys(chromedp.CSS("#email"), "ann@example.org"))
		if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.querySelector("form.signup").elements.token.value !== ""`)); err != nil {
			t.Fatal(err)
		}
		do(t, ctx,
			chromedp.Click(chromedp.CSS("form.signup button")),
			chromedp.WaitVisible(chromedp.CSS(".good")))
		if len(s.people.asked) != 1 || s.people.asked[0].Timezone != "Europe/Ljubljana" || fmt.Sprint(s.people.asked[0].Tags) != want {
			t.Errorf("%s: signed up %+v", path, s.people.asked)
		}
		srv.Close()
	}
	if got := complaints(); len(got) > 0 {
		t.Errorf("the browser complains: %q", got)
	}
}

// Without a script there is one more click, and the zone is chosen from a list.
func TestSignUpWithoutScriptInBrowser(t *testing.T) {
	ctx := browser(t)
	asking, later := shown(t, web.Guard{MinSeconds: 3})
	s := newSite(t, asking, letters)
	srv := httptest.NewServer(s)
	defer srv.Close()
	script(t, ctx, false)
	do(t, ctx,
		chromedp.Navigate(srv.URL+"/posts/immutable-servers/"),
		chromedp.SendKeys(chromedp.CSS("#email"), "ann@example.org"),
		chromedp.Click(chromedp.CSS(`form.signup input[value="monthly"]`)),
		chromedp.Click(chromedp.CSS("form.signup button")),
		chromedp.WaitVisible(chromedp.CSS(".intro[role=status]")))
	if got := headingOf(t, ctx); got != "One more click" {
		t.Fatalf("after the first click: %q", got)
	}
	later(3 * time.Second)
	do(t, ctx,
		chromedp.Click(chromedp.CSS("details.topics:has(#timezone) summary")),
		chromedp.SetValue(chromedp.CSS("#timezone"), "Asia/Tokyo"),
		chromedp.SetValue(chromedp.CSS("#frequency"), "daily"),
		chromedp.SetValue(chromedp.CSS("#hour"), "7"),
		chromedp.Click(chromedp.CSS("form.signup button")),
		chromedp.WaitVisible(chromedp.CSS(".good")))
	if len(s.people.asked) != 1 {
		t.Fatalf("signed up %+v", s.people.asked)
	}
	got := s.people.asked[0]
	if got.Timezone != "Asia/Tokyo" || got.Frequency != "daily" || got.Hour != "7" || !slices.Equal(got.Newsletters, []string{"weekly", "monthly"}) || !slices.Equal(got.Categories, []string{"devops"}) {
		t.Errorf("signed up %+v", got)
	}
}

// Forms fit every screen, opened and with everything wrong.
func TestFormsFitScreens(t *testing.T) {
	ctx := browser(t)
	asking, _ := shown(t, web.Guard{MinSeconds: 3})
	s := newSite(t, asking, letters)
	s.people.with("ann", store.StatusPending)
	srv := httptest.NewServer(s)
	defer srv.Close()
	faulty := "/subscribe?hour=25&timezone=" + strings.Repeat("Far", 20)
	for _, width := range []int64{320, 600, 1200} {
		for _, path := range []string{"/", "/tags/cpp/", "/posts/immutable-servers/", "/feeds/tags/cpp/", "/subscribe", faulty, "/confirm/ann", "/preferences"} {
			do(t, ctx, chromedp.EmulateViewport(width, 800), chromedp.Navigate(srv.URL+path))
			got, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`document.querySelectorAll("details").forEach(d => { d.open = true }), document.documentElement.scrollWidth`))
			if err != nil {
				t.Fatal(err)
			}
			if got > width {
				t.Errorf("%s is %d pixels wide on a screen of %d", path, got, width)
			}
		}
	}
}
