package feed

import "encoding/xml"

// OPMLMediaType is the Content-Type of a list of feeds.
const OPMLMediaType = "text/x-opml; charset=utf-8"

type opmlRoot struct {
	XMLName  xml.Name       `xml:"opml"`
	Version  string         `xml:"version,attr"`
	Title    string         `xml:"head>title"`
	Outlines []*opmlOutline `xml:"body>outline"`
}

type opmlOutline struct {
	Text     string         `xml:"text,attr"`
	Title    string         `xml:"title,attr,omitempty"`
	Type     string         `xml:"type,attr,omitempty"`
	XMLURL   string         `xml:"xmlUrl,attr,omitempty"`
	HTMLURL  string         `xml:"htmlUrl,attr,omitempty"`
	Outlines []*opmlOutline `xml:"outline"`
}

// EncodeOPML gives the OPML 2.0 list of the feeds, those of one group under
// its heading, in the order in which the groups first occur. stylesheet is
// the address of a CSS style sheet for browsers; "" for none. The list carries
// no date: the same feeds give the same bytes.
func EncodeOPML(title, stylesheet string, outlines []Outline) ([]byte, error) {
	root := &opmlRoot{Version: "2.0", Title: line(title)}
	groups := map[string]*opmlOutline{}
	for _, o := range outlines {
		siblings := &root.Outlines
		if name := line(o.Group); name != "" {
			group := groups[name]
			if group == nil {
				group = &opmlOutline{Text: name}
				groups[name] = group
				root.Outlines = append(root.Outlines, group)
			}
			siblings = &group.Outlines
		}
		name := line(o.Title)
		*siblings = append(*siblings, &opmlOutline{
			Text: name, Title: name,
			Type:   "rss", // whatever the format: OPML 2.0 knows no other type
			XMLURL: address(o.XMLURL), HTMLURL: address(o.HTMLURL),
		})
	}
	return marshalXML(root, stylesheet)
}
