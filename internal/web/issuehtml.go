package web

import (
	"html/template"
	"net/url"
	"strings"

	"tidings/internal/newsletter"
)

// issueList shows the posts of an issue in its feed.
var issueList = template.Must(template.New("issue").Parse(`<ul>{{range .}}<li>{{if .URL}}<a href="{{.URL}}">{{.Title}}</a>{{else}}{{.Title}}{{end}}{{with .Summary}}<br>{{.}}{{end}}</li>{{end}}</ul>`))

// issueHTML lists the posts of an issue with their links, as they were when it
// was mailed.
func issueHTML(i newsletter.Issue) string {
	type item struct{ Title, URL, Summary string }
	var items []item
	for _, c := range i.Content {
		it := item{c.Title, c.URL, c.Summary}
		if u, err := url.Parse(c.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" {
			it.URL = ""
		}
		if it.Title == "" {
			it.Title, it.Summary = it.Summary, ""
		}
		if it.Title == "" {
			it.Title = it.URL
		}
		items = append(items, it)
	}
	if len(items) == 0 {
		return ""
	}
	var b strings.Builder
	if err := issueList.Execute(&b, items); err != nil {
		return "" // the entry does with its summary
	}
	return b.String()
}
