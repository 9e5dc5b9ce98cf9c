package post

import (
	"html"
	"net/url"
	"regexp"
	"strings"
)

// shortcode expands one {{< shortcode >}} or {{% shortcode %}} of Hugo at the
// start of s. Of a pair only the text between remains.
func shortcode(s string) (text string, length int) {
	closing := ">}}"
	if s[2] == '%' {
		closing = "%}}"
	}
	inner, length := delimited(s, s[:3], closing)
	if length == 0 {
		return "{{", 2
	}
	if shown, ok := strings.CutPrefix(inner, "/*"); ok {
		return "{{" + s[2:3] + strings.TrimSuffix(shown, "*/") + closing, length
	}
	name, args, _ := strings.Cut(strings.Trim(inner, "/ "), " ")
	switch name {
	case "ref", "relref":
		return unknown, length
	}
	if strings.HasPrefix(inner, "/") {
		return "", length
	}
	return media(name, parseArgs(args)), length
}

// args are what a tag or shortcode was given.
type args struct {
	named map[string]string
	bare  []string
}

var argument = regexp.MustCompile(`([\w-]+)\s*[=:]\s*("[^"]*"|'[^']*'|[^\s,"'()]+)|"([^"]*)"|'([^']*)'|([^\s,()]+)`)

func parseArgs(s string) args {
	a := args{named: map[string]string{}}
	for _, m := range argument.FindAllStringSubmatch(s, -1) {
		switch {
		case webAddress.MatchString(m[0]):
			a.bare = append(a.bare, m[0])
		case m[1] != "":
			value := m[2]
			if plain, quoted := unquote(value); quoted {
				value = plain
			}
			a.named[strings.ToLower(m[1])] = value
		default:
			a.bare = append(a.bare, m[3]+m[4]+m[5])
		}
	}
	return a
}

// get gives the first of the named arguments that is there.
func (a args) get(names ...string) string {
	for _, name := range names {
		if value := a.named[name]; value != "" {
			return value
		}
	}
	return ""
}

var (
	webAddress  = regexp.MustCompile(`^https?://[^\s"']+$`)
	pictureName = regexp.MustCompile(`(?i)\.(?:png|jpe?g|gif|webp|avif|svg)(?:\?\S*)?$`)
	videoID     = regexp.MustCompile(`^[\w-]{5,}$`)
)

// media shows what a tag or shortcode embeds: a picture as such, a video or
// another page as a link. It gives "" for everything else.
func media(name string, a args) string {
	name = strings.ToLower(name)
	if src := a.picture(name); src != "" {
		return picture(src, a.alt(src))
	}
	id := a.get("id", "video", "video_id")
	if id == "" && len(a.bare) > 0 {
		id = a.bare[len(a.bare)-1]
	}
	whole := name + " " + strings.ToLower(strings.Join(a.bare, " "))
	switch {
	case strings.Contains(whole, "youtube") && videoID.MatchString(id):
		return unknown + markup(linkNode(youTube(id), a.get("title")))
	case strings.Contains(whole, "vimeo") && videoID.MatchString(id):
		return link("https://vimeo.com/" + id)
	case name == "gist" && len(a.bare) > 0:
		return link("https://gist.github.com/" + strings.Join(a.bare[:min(2, len(a.bare))], "/"))
	case (name == "tweet" || name == "x" || name == "twitter") && a.get("user") != "" && id != "":
		return link("https://twitter.com/" + url.PathEscape(a.get("user")) + "/status/" + url.PathEscape(id))
	}
	for _, address := range append(a.bare, a.get("url", "src", "href", "link")) {
		if webAddress.MatchString(address) {
			return link(address)
		}
	}
	return ""
}

// picture gives the address of the picture that is shown, if it is one.
func (a args) picture(name string) string {
	src := a.get("src", "url", "path", "image", "image_path", "file", "img")
	shows := strings.Contains(name, "image") || strings.Contains(name, "img") || strings.Contains(name, "figure") ||
		strings.Contains(name, "picture") || strings.Contains(name, "photo")
	if !shows && !pictureName.MatchString(src) {
		return ""
	}
	if src != "" {
		return src
	}
	for _, value := range a.bare {
		if pictureName.MatchString(value) || strings.Contains(value, "/") {
			return value
		}
	}
	return ""
}

// alt gives the description of a picture: the last argument that is not its
// address.
func (a args) alt(src string) string {
	if alt := a.get("alt", "caption", "title"); alt != "" {
		return alt
	}
	for i := len(a.bare) - 1; i >= 0 && a.bare[i] != src; i-- {
		return a.bare[i]
	}
	return ""
}

// picture and link start with the mark, so that Markdown does not take the
// tag for the beginning of a block of HTML.
func picture(src, alt string) string {
	return unknown + `<img src="` + html.EscapeString(src) + `" alt="` + html.EscapeString(alt) + `">`
}

func link(address string) string {
	address = html.EscapeString(address)
	return unknown + `<a href="` + address + `">` + address + `</a>`
}
