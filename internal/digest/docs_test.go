package digest_test

import (
	"testing"

	"tidings/internal/digest"
	"tidings/internal/tmpl/tmpltest"
)

// The page about templates has every field and function of those of mails.
func TestTemplatesPage(t *testing.T) {
	for heading, typ := range digest.Models {
		tmpltest.Fields(t, heading, typ, digest.ModelNames)
	}
	html, text, shared := digest.Functions()
	tmpltest.Functions(t, "Functions of all templates of mails", shared, digest.ModelNames)
	tmpltest.Functions(t, "Functions of HTML mails", html, digest.ModelNames)
	tmpltest.Functions(t, "Functions of text mails", text, digest.ModelNames)
}
