package page_test

import (
	"reflect"
	"testing"

	"tidings/internal/page"
	"tidings/internal/tmpl/tmpltest"
)

// The page about templates has every field of the pages that people are most
// likely to change.
func TestTemplatesPage(t *testing.T) {
	names := map[reflect.Type]string{
		reflect.TypeFor[page.Entry](): "post", reflect.TypeFor[page.Link](): "link", reflect.TypeFor[page.Issue](): "edition", reflect.TypeFor[page.Listing](): "list of posts",
		reflect.TypeFor[page.Alternate](): "feed", reflect.TypeFor[page.Site](): "site", reflect.TypeFor[page.Form](): "form", reflect.TypeFor[page.TopicForm](): "sign-up",
	}
	for heading, typ := range map[string]reflect.Type{
		"Every page": reflect.TypeFor[page.Frame](), "The site, in pages": reflect.TypeFor[page.Site](), "A feed that a page announces": reflect.TypeFor[page.Alternate](),
		"A link": reflect.TypeFor[page.Link](), "A post, in pages": reflect.TypeFor[page.Entry](), "A list of posts": reflect.TypeFor[page.Listing](),
		"The front page": reflect.TypeFor[page.Home](), "The page of a post": reflect.TypeFor[page.Post](),
		"The page of a category, tag, author or section": reflect.TypeFor[page.Term](), "A notice": reflect.TypeFor[page.Notice](),
		"Past editions of a newsletter": reflect.TypeFor[page.Issues](), "An edition in a list": reflect.TypeFor[page.Issue](),
	} {
		tmpltest.Fields(t, heading, typ, names)
	}
}
