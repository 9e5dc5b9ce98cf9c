package web

import (
	"net/http"
	"strings"
	"time"
)

// codings are the suffixes that servers and proxies put behind an entity tag
// when they compress: our own, and those of Apache and others.
var codings = [...]string{"-gzip", "-br", "-zstd", "-deflate", ";gzip", ";br"}

// notModified reports whether the client already has what it asks for (RFC
// 9110 §13.2.2): If-None-Match decides alone if there is one; otherwise
// If-Modified-Since, which may be any instant from modified on, because
// readers make up dates. What cannot be understood is ignored. A zero
// modified never matches.
func notModified(r *http.Request, tag string, modified time.Time) bool {
	if fields := r.Header.Values("If-None-Match"); len(fields) > 0 {
		return matches(strings.Join(fields, ","), tag)
	}
	field := r.Header.Get("If-Modified-Since")
	if field == "" || modified.IsZero() {
		return false
	}
	since, err := http.ParseTime(field)
	return err == nil && !modified.Truncate(time.Second).After(since)
}

// matches compares weakly (RFC 9110 §8.8.3.2) and takes two tags for the same
// that differ in a coding alone: the validator says that the bytes are the
// same, whichever way they were squeezed when they went out.
func matches(list, tag string) bool {
	want := bareTag(strings.Trim(tag, `"`))
	for {
		list = strings.TrimLeft(list, " \t,")
		if list == "" {
			return false
		}
		if list[0] == '*' {
			return true
		}
		opaque, rest := nextTag(list)
		if opaque != "" && bareTag(opaque) == want {
			return true
		}
		list = rest
	}
}

// nextTag takes the first entity tag off a list: its text without quotes, and
// what follows. A tag without quotes, as some clients send it, reaches to the
// next comma; one that is never closed, to the end.
func nextTag(list string) (opaque, rest string) {
	list = strings.TrimPrefix(strings.TrimPrefix(list, "W/"), "w/")
	if quoted, ok := strings.CutPrefix(list, `"`); ok {
		opaque, rest, _ = strings.Cut(quoted, `"`)
		return opaque, rest
	}
	opaque, rest, _ = strings.Cut(list, ",")
	return strings.TrimSpace(opaque), rest
}

// bareTag removes the marks of codings, also doubled ones ("--gzip").
func bareTag(opaque string) string {
	for _, c := range codings {
		if bare, ok := strings.CutSuffix(opaque, c); ok {
			return bareTag(strings.TrimRight(bare, "-"))
		}
	}
	return opaque
}
