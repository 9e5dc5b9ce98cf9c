package page

import (
	"fmt"
	"html/template"
	"time"

	"tidings/internal/locale"
)

func clock(t time.Time) string { return t.Format("15:04:05") }

func rfc3339(t time.Time) string { return t.Format(time.RFC3339) }

// download is a link to a file that is kept, not shown.
func download(address, mediaType string) locale.Link {
	return locale.Link{URL: address, Attributes: template.HTMLAttr(`type="` + template.HTMLEscapeString(mediaType) + `" download`)}
}

// Size writes a number of bytes for people: "512 B", "31 KB".
func Size(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%d KB", (n+500)/1000)
}
