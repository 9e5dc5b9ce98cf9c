package digest

import (
	htmltemplate "html/template"
	"maps"
	"slices"
	"strings"
	texttemplate "text/template"

	"tidings/internal/locale"
)

// htmlFuncs are the functions of the HTML templates: those of sharedFuncs, and
//
//	css NAME       class and style of a kind of element, see newStylesheet
//	picture WIDTH  width and style of an image
//	darkStyles     content of a style element: phones, dark mode
//	outlookStyles  content of another: dark mode in Outlook's apps
//	mso HTML       what only Outlook with Word's engine sees
//	lines TEXT     its lines
//	link URL NAME  a link in a message, that looks like a kind of element
func htmlFuncs(look stylesheet, words *locale.Language) htmltemplate.FuncMap {
	funcs := sharedFuncs(words)
	funcs["css"] = look.attributes
	funcs["picture"] = look.picture
	funcs["darkStyles"] = func() htmltemplate.CSS { return htmltemplate.CSS(look.media()) }
	funcs["outlookStyles"] = func() htmltemplate.CSS { return htmltemplate.CSS(look.outlook()) }
	funcs["mso"] = func(s string) htmltemplate.HTML { return htmltemplate.HTML("<!--[if mso]>" + s + "<![endif]-->") }
	funcs["link"] = func(address, name string) (locale.Link, error) {
		attributes, err := look.attributes(name)
		return locale.Link{URL: address, Attributes: attributes}, err
	}
	funcs["lines"] = func(s string) []string { return strings.Split(s, "\n") }
	return funcs
}

// textFuncs are the functions of the text templates: those of sharedFuncs, and
//
//	wrap PART…        the parts as one text, broken at 72 columns
//	underline C TEXT  a line of C as wide as the text
func textFuncs(words *locale.Language) texttemplate.FuncMap {
	funcs := sharedFuncs(words)
	funcs["wrap"] = func(parts ...string) string { return wrap(strings.Join(parts, ""), "", "") }
	funcs["underline"] = func(c, s string) string { return strings.Repeat(c, min(columns(s), lineWidth)) }
	return funcs
}

// sharedFuncs are functions of all templates: those of locale.Language.Funcs, and
//
//	join LIST   its elements, comma-separated
//	dots PART…  those parts that are not empty, with dots between them
func sharedFuncs(words *locale.Language) map[string]any {
	funcs := words.Funcs()
	maps.Copy(funcs, map[string]any{
		"join": func(list []string) string { return strings.Join(list, words.T("list.comma")) },
		"dots": dots,
	})
	return funcs
}

func dots(parts ...string) string {
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	return strings.Join(parts, " · ")
}
