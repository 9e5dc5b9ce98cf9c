package feed

import "strings"

// mediaImage is the picture of an entry in Media RSS, which Atom uses too. It
// is not an enclosure: readers would offer to download it.
type mediaImage struct {
	Picture   *mediaContent   `xml:"media:content"`
	Thumbnail *mediaThumbnail `xml:"media:thumbnail"`
}

type mediaContent struct {
	URL         string            `xml:"url,attr"`
	Type        string            `xml:"type,attr,omitempty"`
	Medium      string            `xml:"medium,attr"`
	Width       int               `xml:"width,attr,omitempty"`
	Height      int               `xml:"height,attr,omitempty"`
	Description *mediaDescription `xml:"media:description"`
}

type mediaDescription struct {
	Type string `xml:"type,attr"`
	XML  string `xml:",innerxml"`
}

type mediaThumbnail struct {
	URL    string `xml:"url,attr"`
	Width  int    `xml:"width,attr,omitempty"`
	Height int    `xml:"height,attr,omitempty"`
}

func newMediaImage(i Image) mediaImage {
	href := address(i.URL)
	if href == "" {
		return mediaImage{}
	}
	width, height := max(0, i.Width), max(0, i.Height)
	m := mediaImage{
		&mediaContent{URL: href, Medium: "image", Width: width, Height: height},
		&mediaThumbnail{URL: href, Width: width, Height: height},
	}
	if t := typeOf(i.URL); strings.HasPrefix(t, "image/") {
		m.Picture.Type = t
	}
	if alt := line(i.Alt); alt != "" {
		m.Picture.Description = &mediaDescription{"plain", hexadecimal.Replace(alt)}
	}
	return m
}
