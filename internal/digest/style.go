package digest

import (
	"fmt"
	"html/template"
	"strings"
)

// palette is one set of colours. Each text colour stands on page, card and
// chip with a contrast of at least 4.5:1 (WCAG 2.2, 1.4.3); none is pure
// black or white, which programs that invert colours treat roughly.
type palette struct {
	page, card, text, muted, link, chip, line, button, onButton string
}

func light() palette {
	return palette{
		page: "#f1efeb", card: "#fdfcfa", text: "#23272b", muted: "#575c63", link: "#0b5771",
		chip: "#ebe8e2", line: "#dcd8d0", button: "#0b5771", onButton: "#fdfcfa",
	}
}

func dark() palette {
	return palette{
		page: "#131517", card: "#1d2023", text: "#e7e5e1", muted: "#aeb3b9", link: "#84c9e2",
		chip: "#2c3034", line: "#3b4046", button: "#84c9e2", onButton: "#131517",
	}
}

// role is what an element's colours are for. It is also its class.
type role string

const (
	onPage   role = "page"
	onCard   role = "card"
	plain    role = "text"
	muted    role = "muted"
	link     role = "link"
	chip     role = "chip"
	line     role = "line"
	button   role = "button"
	noColour role = ""
)

// roles in the order in which they are written.
var roles = [...]role{onPage, onCard, plain, muted, link, chip, line, button}

// declarations are a role's colours. Where a background is set the colour on
// it is set too.
func (r role) declarations(p palette, suffix string) string {
	pair := func(background, colour string) string {
		return "background-color:" + background + suffix + ";color:" + colour + suffix
	}
	switch r {
	case onPage:
		return pair(p.page, p.text)
	case onCard:
		return pair(p.card, p.text)
	case chip:
		return pair(p.chip, p.text)
	case button:
		return pair(p.button, p.onButton)
	case line:
		return "border-color:" + p.line + suffix
	case muted:
		return "color:" + p.muted + suffix
	case link:
		return "color:" + p.link + suffix
	case plain:
		return "color:" + p.text + suffix
	}
	return ""
}

// rule is how one kind of element looks.
type rule struct {
	role  role
	class string // wide, or ""
	style string
}

// wide is the class of what has the column's side paddings.
const wide = "wide"

const font = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"

// stylesheet has the look of every kind of element by name. Mail programs
// drop style elements at will, so each element carries its own style; the
// class serves only to swap colours for dark mode and paddings on phones.
type stylesheet map[string]rule

func newStylesheet() stylesheet {
	return stylesheet{
		"body":      {onPage, "", "margin:0;padding:0;width:100%;-webkit-text-size-adjust:100%;-ms-text-size-adjust:100%"},
		"page":      {onPage, "", "width:100%;table-layout:fixed;border-collapse:collapse"},
		"gutter":    {onPage, "", "padding:24px 8px;" + font + "font-size:16px;line-height:24px"},
		"column":    {onCard, "", "width:100%;max-width:600px;table-layout:fixed;border-collapse:collapse;word-break:break-word"},
		"preheader": {onPage, "", "display:none;max-height:0;overflow:hidden;mso-hide:all;font-size:16px;line-height:1px"},

		"top":        {onCard, wide, "padding:12px 32px 0;font-size:16px;line-height:24px"},
		"head":       {onCard, wide, "padding:8px 32px 12px;font-size:16px;line-height:24px"},
		"title":      {plain, "", "margin:0;font-size:30px;line-height:38px;font-weight:700"},
		"meta":       {muted, "", "margin:4px 0 0;font-size:16px;line-height:24px"},
		"group":      {onCard, wide, "padding:32px 32px 0"},
		"name":       {line, "", "margin:0;padding:0 0 8px;border-style:solid;border-width:0 0 2px;font-size:20px;line-height:28px;font-weight:700"},
		"post":       {onCard, wide, "padding:24px 32px 0"},
		"posted":     {muted, "", "margin:0;font-size:16px;line-height:24px"},
		"post-title": {plain, "", "margin:0;font-size:20px;line-height:28px;font-weight:700"},
		"post-link":  {link, "", "display:block;padding:8px 0;text-decoration:underline"},
		"summary":    {plain, "", "margin:0;font-size:16px;line-height:26px"},
		"tags":       {muted, "", "margin:8px 0 0;font-size:16px;line-height:24px"},
		"tag":        {chip, "", "display:inline-block;padding:0 8px;border-radius:4px"},
		"list":       {muted, "", "font-size:16px;line-height:24px"},
		"item":       {noColour, "", "margin:8px 0 0"},
		"item-link":  {link, "", "display:block;padding:10px 0;text-decoration:underline"},
		"image":      {noColour, "", "display:block;width:100%;height:auto;border:0;margin:0 0 16px"},
		"more":       {onCard, wide, "padding:24px 32px 0;font-size:18px;line-height:28px;font-weight:700"},
		"end":        {onCard, "", "padding:32px 0 0;font-size:1px;line-height:1px"},
		"footer":     {onPage, wide, "padding:24px 32px;font-size:16px;line-height:24px"},
		"note":       {muted, "", "margin:0 0 8px;font-size:16px;line-height:24px"},
		"link":       {link, "", "text-decoration:underline"},
		"target":     {link, "", "display:inline-block;padding:10px 0;text-decoration:underline"},
		"action":     {onCard, wide, "padding:12px 32px 32px"},
		"button":     {button, "", "display:inline-block;padding:12px 28px;border-radius:6px;font-size:18px;line-height:24px;font-weight:700;text-decoration:underline"},

		"intro": {plain, "", "text-align:start"},

		"p":          {plain, "", "margin:16px 0 0;font-size:16px;line-height:26px"},
		"h2":         {plain, "", "margin:24px 0 0;font-size:22px;line-height:30px;font-weight:700"},
		"h3":         {plain, "", "margin:24px 0 0;font-size:18px;line-height:26px;font-weight:700"},
		"ul":         {plain, "", "margin:16px 0 0;padding:0 24px;font-size:16px;line-height:26px"},
		"ol":         {plain, "", "margin:16px 0 0;padding:0 24px;font-size:16px;line-height:26px"},
		"li":         {plain, "", "margin:4px 0 0"},
		"blockquote": {plain, "", "margin:16px 0 0;padding:0 24px;font-style:italic"},
		"code":       {chip, "", "font-family:Menlo,Consolas,monospace;font-size:16px"},
		"pre":        {chip, "", "margin:16px 0 0;padding:12px;white-space:pre-wrap;word-wrap:break-word;font-size:16px;line-height:24px"},
		"hr":         {line, "", "margin:24px 0 0;border-style:solid;border-width:1px 0 0"},
		"img":        {noColour, "", "max-width:100%;height:auto;border:0"},
	}
}

// look gives the class and style of a kind of element.
func (s stylesheet) look(name string) (class, style string, err error) {
	r, ok := s[name]
	if !ok {
		return "", "", fmt.Errorf("css %q: no such kind of element", name)
	}
	class = strings.TrimSpace(string(r.role) + " " + r.class)
	style = r.role.declarations(light(), "")
	if style != "" && r.style != "" {
		style += ";"
	}
	return class, style + r.style, nil
}

// attributes gives class and style as a template writes them.
func (s stylesheet) attributes(name string) (template.HTMLAttr, error) {
	class, style, err := s.look(name)
	if err != nil {
		return "", err
	}
	if class != "" {
		class = `class="` + class + `" `
	}
	return template.HTMLAttr(class + `style="` + style + `"`), nil
}

// picture gives the attributes of an image that is so many pixels wide, where
// there is room for it.
func (s stylesheet) picture(width int) (template.HTMLAttr, error) {
	_, style, err := s.look("image")
	return template.HTMLAttr(fmt.Sprintf(`width="%d" style="%s;max-width:%[1]dpx"`, width, style)), err
}

// media is the content of the style element: narrower paddings on phones, and
// dark colours for programs that ask for them. It is kept to what every
// program parses, since some drop all of it for one rule they do not know.
func (s stylesheet) media() string {
	return "@media (max-width:480px){.wide{padding-left:20px!important;padding-right:20px!important}}\n" +
		"@media (prefers-color-scheme:dark){" + darkRules("") + "}\n"
}

// outlook is the content of a second style element, for Outlook's apps, which
// mark the elements whose colours they have changed.
func (s stylesheet) outlook() string { return darkRules("[data-ogsc] ") }

func darkRules(scope string) string {
	var b strings.Builder
	for _, r := range roles {
		fmt.Fprintf(&b, "%s.%s{%s}", scope, r, r.declarations(dark(), "!important"))
	}
	return b.String()
}
