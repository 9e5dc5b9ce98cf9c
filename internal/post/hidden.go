package post

import "strings"

// hidden tells why the post is not to be published; "" if it is. A switch
// with a value that is neither yes nor no hides the post: better late than
// leaked.
func (f *fields) hidden() string {
	switch {
	case f.name.draft:
		return "in _drafts"
	case f.switchedOn("draft"):
		return "draft"
	case f.switchedOff("published"):
		return "published: false"
	}
	for _, key := range []string{"headless", "unlisted", "hidden", "private"} {
		if f.switchedOn(key) {
			return key
		}
	}
	if f.switchedOn("eleventyexcludefromcollections") {
		return "eleventyExcludeFromCollections"
	}
	if f.switchedOff("render") {
		return "render: false"
	}
	if off, known := f.peek("permalink").truth(); known && !off {
		return "permalink: false"
	}
	return f.hiddenByValue()
}

// hiddenByValue looks at keys that hold more than yes and no.
func (f *fields) hiddenByValue() string {
	for _, key := range []string{"redirect", "redirectto"} {
		if to := f.get(key).scalar(); to != "" && to != "false" {
			return "redirects to " + shortened(to)
		}
	}
	for _, key := range []string{"status", "visibility"} {
		switch word := strings.ToLower(f.peek(key).scalar()); word {
		case "draft", "hidden", "private", "unlisted":
			return key + ": " + word
		}
	}
	build := f.peek("build")
	for _, key := range []string{"list", "render"} {
		switch word := strings.ToLower(build.get(key).scalar()); word {
		case "never", "false":
			return "build." + key + ": " + word
		}
	}
	return ""
}

func (f *fields) switchedOn(key string) bool {
	n := f.get(key)
	on, known := n.truth()
	if n == nil || n.kind == textKind && n.scalar() == "" {
		return false
	}
	if !known {
		f.warn(n.line, "%s: %q is neither true nor false; the post is hidden to be safe", f.spelling(key), shortened(n.scalar()))
	}
	return on || !known
}

func (f *fields) switchedOff(key string) bool {
	on, known := f.get(key).truth()
	return known && !on
}
