package adopt

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Limits of what is read.
const (
	maxBytes = 64 << 20 // of one document
	maxTotal = 512 << 20
	maxPages = 1000
	patience = 60 * time.Second // with one document
)

// statusError is an answer other than 200.
type statusError struct {
	code   int
	status string
}

func (e statusError) Error() string { return "the server answers " + e.status }

// load gives the bytes of a file or of what is at a web address.
func load(ctx context.Context, source string) ([]byte, error) {
	if remote(source) {
		return fetch(ctx, source)
	}
	if strings.Contains(source, "://") {
		return nil, fmt.Errorf("it is neither a file nor an address with http or https")
	}
	f, err := os.Open(source)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return limited(f)
}

func fetch(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "tidings (feeds adopt)")
	r.Header.Set("Accept", "application/atom+xml, application/rss+xml, application/feed+json, */*;q=0.5")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, statusError{resp.StatusCode, resp.Status}
	}
	return limited(resp.Body)
}

func limited(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err == nil && len(b) > maxBytes {
		err = fmt.Errorf("it has more than %d bytes", maxBytes)
	}
	return b, err
}

// remote reports whether a source is on the web.
func remote(source string) bool {
	u, err := url.Parse(source)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// resolve makes the address that a page gives absolute. Only a page of the web
// leads to others.
func resolve(page, ref string) string {
	base, err := url.Parse(page)
	if err != nil || ref == "" || !remote(page) {
		return ""
	}
	u, err := base.Parse(ref)
	if err != nil || !remote(u.String()) {
		return ""
	}
	u.Fragment = ""
	return u.String()
}
