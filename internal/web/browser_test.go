package web_test

import (
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"tidings/internal/store"
)

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
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	return ctx
}

// A visitor signs up on the front page, and confirms by the link in the mail
// as it is shown in the mailbox: every policy of the pages on the way must
// let the browser do it, and none may let a script run.
func TestSignUpInBrowser(t *testing.T) {
	ctx := browser(t)
	s := newSite(t)
	srv := httptest.NewServer(s)
	defer srv.Close()
	var mail string
	s.people.onJoin = func(token string) {
		mail = captured(t, s, token+"@example.org", `<p><a id="go" href="`+srv.URL+"/confirm/"+token+`">Confirm</a></p><script>document.body.innerHTML = "run"</script>`)
	}
	do(t, ctx,
		chromedp.Navigate(srv.URL+"/"),
		chromedp.SendKeys(chromedp.CSS("#email"), "ann@example.org"),
		chromedp.Click(chromedp.CSS(".panel button")),
		chromedp.WaitVisible(chromedp.CSS(".good")))
	if got := headingOf(t, ctx); got != "Check your mail" {
		t.Errorf("after signing up: %q", got)
	}
	do(t, ctx,
		chromedp.Click(chromedp.CSS(".hint a")),
		chromedp.Click(chromedp.CSS("a.subject")),
		chromedp.WaitVisible(chromedp.CSS("iframe.mail")))
	if got := clickInMail(t, ctx, srv.URL+mail+"html"); got != "You are subscribed" {
		t.Errorf("after confirming: %q", got)
	}
	if got := s.people.subs["ann"].Status; got != store.StatusActive {
		t.Errorf("status %q", got)
	}
}

// clickInMail follows the link of a mail's HTML part into the window that it
// opens, presses the button there and gives the heading of the answer.
func clickInMail(t *testing.T, ctx context.Context, part string) (heading string) {
	t.Helper()
	do(t, ctx, chromedp.Navigate(part))
	opened := chromedp.WaitNewTarget(ctx, func(*target.Info) bool { return true })
	do(t, ctx, chromedp.Click(chromedp.CSS("#go")))
	var id target.ID
	select {
	case id = <-opened:
	case <-ctx.Done():
		t.Fatal("the link opened no window")
	}
	window, stop := chromedp.NewContext(ctx, chromedp.WithTargetID(id))
	defer stop()
	do(t, window,
		chromedp.Click(chromedp.CSS("main button")),
		chromedp.WaitVisible(chromedp.CSS(".good")))
	return headingOf(t, window)
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func headingOf(t *testing.T, ctx context.Context) string {
	t.Helper()
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("h1")))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// On the narrowest phones nothing may stick out sideways.
func TestNothingSticksOut(t *testing.T) {
	ctx := browser(t)
	s := newSite(t)
	s.people.with("ann", store.StatusActive)
	mail := captured(t, s, "somebody.with.a.long.name@a-long-domain-name.example.org", "<p>Hello</p>")
	narrow(t, ctx, s,
		"/", "/posts/immutable-servers/", "/categories/devops/", "/feeds/", "/feeds/tags/cpp/", "/feeds/combined/?category=notes&tag=cpp",
		"/feed.xml", "/atom.xml", "/feeds.opml", "/subscribe?tag=cpp", "/unsubscribe/ann", "/preferences", "/preferences/ann", "/preferences/ann-fresh",
		"/address/ann", "/nothing", "/admin/mailbox/", mail)
	worst := newSiteOf(t, awkwardPosts(), awkward)
	worst.people.with("ann", store.StatusActive)
	worst.people.feeds["ann"] = base + "/feeds/private/" + strings.Repeat("x", 40) + "/"
	narrow(t, ctx, worst,
		"/", "/posts/long/", "/posts/cjk/", "/tags/cpp/", "/feeds/", "/feeds/tags/cpp/", "/feeds/combined/?tag=cpp", "/feed.xml", "/feeds.opml", "/subscribe?tag=cpp",
		"/preferences/ann-fresh", "/unsubscribe/ann")
}

// narrow looks at pages on a screen of 320 pixels.
func narrow(t *testing.T, ctx context.Context, s *site, paths ...string) {
	t.Helper()
	srv := httptest.NewServer(s)
	defer srv.Close()
	for _, path := range paths {
		do(t, ctx, chromedp.EmulateViewport(320, 640), chromedp.Navigate(srv.URL+path))
		width, err := chromedp.Run(ctx, chromedp.Evaluate[int]("document.documentElement.scrollWidth"))
		if err != nil {
			t.Fatal(err)
		}
		if width > 320 {
			t.Errorf("%s is %d pixels wide on a screen of 320", path, width)
		}
	}
}
