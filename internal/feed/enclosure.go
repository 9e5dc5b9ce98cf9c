package feed

import (
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/gorilla/feeds"
)

// rss gives the enclosure element; nil if there is none. Its three attributes
// are mandatory, and so an unknown length is 0.
func (n Enclosure) rss() *feeds.RssEnclosure {
	href := address(n.URL)
	if href == "" {
		return nil
	}
	return &feeds.RssEnclosure{Url: href, Length: strconv.FormatInt(max(0, n.Length), 10), Type: n.mediaType()}
}

// atom gives the links of rel enclosure (RFC 4287 §4.2.7.2): one or none.
func (n Enclosure) atom() []atomLink {
	href := address(n.URL)
	if href == "" {
		return nil
	}
	link := atomLink{Rel: "enclosure", Type: n.mediaType(), Href: href}
	if n.Length > 0 {
		link.Length = strconv.FormatInt(n.Length, 10)
	}
	return []atomLink{link}
}

func (n Enclosure) json() []jsonAttachment {
	href := address(n.URL)
	if href == "" {
		return nil
	}
	return []jsonAttachment{{URL: href, Type: n.mediaType(), Size: max(0, n.Length), Duration: max(0, n.Duration).Seconds()}}
}

var mediaType = regexp.MustCompile(`^[a-z]+/[a-z0-9][a-z0-9.+-]*$`)

// mediaType is never "": every format demands one.
func (n Enclosure) mediaType() string {
	if t := strings.ToLower(line(n.Type)); mediaType.MatchString(t) {
		return t
	}
	if t := typeOf(n.URL); t != "" {
		return t
	}
	return "application/octet-stream"
}

// typeOf gives the media type that the end of an address stands for, "" if it
// is not known. The table is our own because the system's differs from machine
// to machine.
func typeOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return mediaTypes[strings.ToLower(path.Ext(u.Path))]
}

var mediaTypes = map[string]string{
	".mp3": "audio/mpeg", ".m4a": "audio/x-m4a", ".m4b": "audio/mp4", ".aac": "audio/aac", ".flac": "audio/flac", ".wav": "audio/wav",
	".ogg": "audio/ogg", ".oga": "audio/ogg", ".opus": "audio/ogg", ".weba": "audio/webm",
	".mp4": "video/mp4", ".m4v": "video/x-m4v", ".mov": "video/quicktime", ".webm": "video/webm", ".ogv": "video/ogg",
	".pdf": "application/pdf", ".epub": "application/epub+zip", ".zip": "application/zip",
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".avif": "image/avif",
	".svg": "image/svg+xml",
}
