package digest

import (
	"strings"

	"tidings/internal/mail"
)

// listHeaders are the headers that say the mail is a mailing list's. Those
// that lead one reader off the list (RFC 2369 List-Unsubscribe, RFC 8058
// List-Unsubscribe-Post) are personal and left to the sender.
func listHeaders(e edition) ([]mail.Header, error) {
	var hs []mail.Header
	if id := e.Newsletter.ListID; id != "" {
		h, err := mail.ListID(e.Newsletter.Title, id)
		if err != nil {
			return nil, err
		}
		hs = append(hs, h)
	}
	if url := e.Newsletter.WebURL; url != "" && !strings.ContainsFunc(url, func(r rune) bool { return r > '~' }) {
		hs = append(hs, mail.Header{Name: "List-Archive", Value: "<" + url + ">"})
	}
	return append(hs,
		mail.Header{Name: "Precedence", Value: "bulk"},
		mail.Header{Name: "X-Auto-Response-Suppress", Value: "OOF, AutoReply"},
	), nil
}

// noticeHeaders are the headers of a mail to one person that nobody typed
// (RFC 3834 §5).
func noticeHeaders() []mail.Header {
	return []mail.Header{
		{Name: "Auto-Submitted", Value: "auto-generated"},
		{Name: "X-Auto-Response-Suppress", Value: "OOF, AutoReply"},
	}
}
