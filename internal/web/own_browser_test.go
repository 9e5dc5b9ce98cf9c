package web_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"tidings/internal/newsletter"
	"tidings/internal/store"
)

// A reader opens their own page and changes what they get, makes a private feed,
// leaves, says why and comes back: with scripts and without.
func TestOwnPageInBrowser(t *testing.T) {
	for name, scripts := range map[string]bool{"with scripts": true, "without scripts": false} {
		t.Run(name, func(t *testing.T) {
			ctx := browser(t)
			complaints := listen(t, ctx)
			if !scripts {
				if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
					t.Fatal(err)
				}
			}
			s := newSite(t)
			s.people.subs["ann"] = newsletter.Subscription{Newsletter: "weekly", Title: "Weekly digest", Status: store.StatusActive, Email: "ann@example.org", Tags: []string{"cloud"}}
			srv := httptest.NewServer(s)
			defer srv.Close()
			choosesInBrowser(t, ctx, s, srv.URL+"/preferences/ann-fresh")
			leavesInBrowser(t, ctx, s, srv.URL+"/unsubscribe/ann")
			if got := complaints(); len(got) > 0 {
				t.Errorf("the browser complains: %q", got)
			}
		})
	}
}

func choosesInBrowser(t *testing.T, ctx context.Context, s *site, page string) {
	t.Helper()
	do(t, ctx,
		chromedp.Navigate(page),
		chromedp.Click(chromedp.CSS(`input[name="tag.weekly"][value="cpp"]`)),
		chromedp.SendKeys(chromedp.CSS("#frequency-weekly"), "d"),
		chromedp.WaitVisible(chromedp.CSS("#hour-weekly")),
		chromedp.SendKeys(chromedp.CSS("#hour-weekly"), "06"),
		chromedp.Click(chromedp.CSS(`main button[type="submit"]`)),
		chromedp.WaitVisible(chromedp.CSS(`p[role="status"]`)))
	want := newsletter.LetterChoice{On: true, Tags: []string{"cloud", "cpp"}, Frequency: "daily", Hour: "6"}
	got := s.people.wants["ann"].Letters["weekly"]
	if slices.Sort(got.Tags); !got.On || !slices.Equal(got.Tags, want.Tags) || got.Frequency != want.Frequency || got.Hour != want.Hour {
		t.Errorf("chose %+v, want %+v", got, want)
	}
	do(t, ctx,
		chromedp.Click(chromedp.CSS(`button[value="feed"]`)),
		chromedp.WaitVisible(chromedp.CSS("a.address")))
}

func leavesInBrowser(t *testing.T, ctx context.Context, s *site, page string) {
	t.Helper()
	do(t, ctx,
		chromedp.Navigate(page),
		chromedp.Click(chromedp.CSS(`button[value="newsletter"]`)),
		chromedp.WaitVisible(chromedp.CSS(".good")),
		chromedp.Click(chromedp.CSS(`input[value="too_many"]`)),
		chromedp.Click(chromedp.CSS("form.why button")),
		chromedp.WaitVisible(chromedp.CSS(`.card:not(.good) p[role="status"]`)))
	if !slices.Equal(s.people.why, []string{"ann too_many"}) {
		t.Errorf("said why: %q", s.people.why)
	}
	sub := s.people.subs["ann"]
	sub.MayReturn = true
	s.people.subs["ann"] = sub
	do(t, ctx,
		chromedp.Navigate(page),
		chromedp.Click(chromedp.CSS(`button[value="return"]`)),
		chromedp.WaitVisible(chromedp.CSS(".good")))
	if got := s.people.subs["ann"].Status; got != store.StatusActive {
		t.Errorf("came back as %s", got)
	}
}

// A field with a fault is described by what is wrong, and told as such to those
// who do not see it.
func TestFaultsOfOwnPageInBrowser(t *testing.T) {
	ctx := browser(t)
	s := owned(t)
	srv := httptest.NewServer(s)
	defer srv.Close()
	do(t, ctx,
		chromedp.Navigate(srv.URL+"/preferences/jo"),
		chromedp.SendKeys(chromedp.CSS("#quiet-from"), "22"),
		chromedp.SendKeys(chromedp.CSS("#quiet-to"), "22"),
		chromedp.Click(chromedp.CSS(`main button[type="submit"]`)),
		chromedp.WaitVisible(chromedp.CSS("#quiet-error")))
	described, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector('[aria-describedby~="quiet-error"]').tagName`))
	if err != nil || described != "FIELDSET" {
		t.Errorf("the fault describes %q (%v)", described, err)
	}
	unnamed, err := chromedp.Run(ctx, chromedp.Evaluate[int](`[...document.querySelectorAll("input:not([type=hidden]), select")].filter(f => !f.labels.length).length`))
	if err != nil || unnamed != 0 {
		t.Errorf("%d fields have no label (%v)", unnamed, err)
	}
}
