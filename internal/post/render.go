package post

import (
	"net/url"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

// markdown converts bodies. It is safe for concurrent use. HTML in a body
// passes through it; nothing leaves Render that was not sanitised.
var markdown = goldmark.New(
	goldmark.WithExtensions(
		extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
		extension.Strikethrough, extension.Linkify, extension.TaskList, extension.Footnote, extension.DefinitionList,
	),
	goldmark.WithParserOptions(
		parser.WithAttribute(), // so that {#id} does not end up in headings
		parser.WithASTTransformers(util.Prioritized(anchorTexts{}, 500)),
	),
	goldmark.WithRendererOptions(html.WithUnsafe()),
)

// Render gives the body as HTML that can stand anywhere: sanitised, without
// scripts, styles and ids, and every address in it absolute. Addresses
// resolve against base, the absolute URL of the post; with a nil base those
// that are not absolute are dropped. The same post and base give the same
// bytes. Template code of site generators is run where it can be (pictures,
// videos, highlighted code) and dropped elsewhere; within code it is shown.
func Render(p *Post, base *url.URL) string {
	return sanitised(bodyHTML(p.File, p.Body), base)
}

// bodyHTML gives the body as raw HTML. It must not leave the package.
func bodyHTML(file, body string) string {
	body = legible(body)
	if isHTML(file) {
		return expandTemplates(body, true)
	}
	if pathological(body) {
		return "<pre>" + escapeText(body) + "</pre>"
	}
	if isMDX(file) {
		body = plainMDX(body)
	} else {
		body = withoutImports(body)
	}
	body = expandTemplates(body, false)
	var b strings.Builder
	b.Grow(len(body) + len(body)/4)
	if err := markdown.Convert([]byte(body), &b); err != nil {
		return "<pre>" + escapeText(body) + "</pre>"
	}
	return b.String()
}
