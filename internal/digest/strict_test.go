package digest_test

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// Mails are strict HTML: whatever program reads them has nothing to guess.
func TestStrictHTML(t *testing.T) {
	for name, in := range looks("https://house.example/wide.png") {
		if err := strict(compose(t, in).HTML); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStrict(t *testing.T) {
	const good = "<!DOCTYPE html><html><body><p>a &amp; b<br></p></body></html>"
	if err := strict(good); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{
		strings.Replace(good, "<!DOCTYPE html>", "", 1), strings.Replace(good, "</p>", "", 1), strings.Replace(good, "<p>", "<p><i>", 1),
		strings.Replace(good, "<p>", `<p id=a id=b>`, 1), strings.Replace(good, "&amp;", "&", 1), strings.Replace(good, "<br>", "</br>", 1),
	} {
		if strict(bad) == nil {
			t.Errorf("nothing is wrong with %s", bad)
		}
	}
}

var (
	quoted        = regexp.MustCompile(`"[^"]*"`)
	attributeName = regexp.MustCompile(`\s([a-z:-]+)=`)
)

// strict finds elements that are not closed in order, attributes given twice,
// and characters that are not escaped.
func strict(source string) error {
	if !strings.HasPrefix(source, "<!DOCTYPE html>") {
		return errors.New("no doctype")
	}
	empty := []string{"meta", "br", "img", "hr", "link", "input"}
	var open []string
	z := html.NewTokenizer(strings.NewReader(source))
	for {
		kind := z.Next()
		raw := string(z.Raw())
		switch kind {
		case html.ErrorToken:
			if !errors.Is(z.Err(), io.EOF) {
				return z.Err()
			}
			if len(open) > 0 {
				return fmt.Errorf("%v are not closed", open)
			}
			return nil
		case html.StartTagToken:
			tag := z.Token()
			var keys []string // as written: the tokenizer drops what comes twice
			for _, m := range attributeName.FindAllStringSubmatch(quoted.ReplaceAllString(raw, `""`), -1) {
				if slices.Contains(keys, m[1]) {
					return fmt.Errorf("%s twice in %s", m[1], raw)
				}
				keys = append(keys, m[1])
			}
			if !slices.Contains(empty, tag.Data) {
				open = append(open, tag.Data)
			}
		case html.EndTagToken:
			name := z.Token().Data
			if len(open) == 0 || open[len(open)-1] != name {
				return fmt.Errorf("</%s> within %v", name, open)
			}
			open = open[:len(open)-1]
		case html.TextToken:
			if inStyle := len(open) > 0 && open[len(open)-1] == "style"; !inStyle && html.UnescapeString(raw) == raw && strings.ContainsAny(raw, "&<>") {
				return fmt.Errorf("not escaped: %q", raw)
			}
		}
	}
}
