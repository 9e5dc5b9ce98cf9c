package templates

import (
	"io/fs"
)

// A File is one of the built-in files.
type File struct {
	Name  string // its path, such as email/digest.html
	About string // what it is, for people
}

// Files gives all built-in files, by name.
func Files() []File {
	var files []File
	err := fs.WalkDir(builtin, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, File{name, about()[name]})
		}
		return err
	})
	if err != nil {
		panic(err) // they are part of the program
	}
	return files
}

// about says what each file is.
func about() map[string]string {
	return map[string]string{
		"assets/copy.js":   "script of the buttons that copy an address",
		"assets/feed.css":  "style sheet of feeds that are opened in a browser",
		"assets/icon.svg":  "icon of the web pages",
		"assets/signup.js": "script of the sign-up form",
		"assets/style.css": "style sheet of the web pages",

		"email/confirm.html":  "mail that asks a new subscriber to confirm: HTML",
		"email/confirm.txt":   "mail that asks a new subscriber to confirm: text",
		"email/digest.html":   "digest of new posts: HTML",
		"email/digest.txt":    "digest of new posts: text",
		"email/frame.html":    "what the HTML of all mails shares: head, style sheets, column",
		"email/personal.html": "mails that readers ask for on their own page: HTML",
		"email/personal.txt":  "mails that readers ask for on their own page: text",

		"locales/ar.yaml": "words of pages and mails: Arabic",
		"locales/de.yaml": "words of pages and mails: German",
		"locales/en.yaml": "words of pages and mails: English",
		"locales/es.yaml": "words of pages and mails: Spanish",
		"locales/fr.yaml": "words of pages and mails: French",
		"locales/ja.yaml": "words of pages and mails: Japanese",

		"web/address.html":     "page that moves a subscription to another address",
		"web/confirm.html":     "page on which a new subscriber confirms",
		"web/feed.html":        "page about one feed",
		"web/feeds.html":       "directory of feeds",
		"web/home.html":        "front page",
		"web/issues.html":      "past editions of a newsletter",
		"web/layout.html":      "what all pages share: head, navigation, footer",
		"web/link.html":        "page that mails a reader the link to their own page",
		"web/mailbox.html":     "list of captured mails",
		"web/message.html":     "one captured mail",
		"web/notice.html":      "page that says how something went",
		"web/post.html":        "page of one post",
		"web/preferences.html": "a reader's own page",
		"web/subscribe.html":   "sign-up form",
		"web/term.html":        "page of a category, tag, author or section",
		"web/unsubscribe.html": "page on which a reader leaves",

		"web/parts/builder.html":      "form that combines feeds",
		"web/parts/form.html":         "fields of the sign-up form",
		"web/parts/listing.html":      "list of posts",
		"web/parts/subscription.html": "summary of a subscription",
	}
}
