package post

import (
	"math"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Keys of the podcast themes. A recording is named by the post itself, by a
// table of its own, or by one value with its figures beside it.
var (
	enclosureKeys = []string{"enclosure", "enclosures", "episode", "podcast", "audio", "mp3", "podcastfile", "podcastlink", "podcasturl",
		"audiofile", "audiourl", "audiopath", "audiolink", "mp3url", "mp3file", "media", "file", "link", "video"}
	addressKeys  = []string{"url", "src", "file", "filename", "path", "link", "href", "mp3", "m4a", "ogg", "opus", "audio", "mp4"}
	lengthKeys   = []string{"length", "bytes", "size", "filesize", "sizeinbytes", "lengthinbytes"}
	lengthBeside = []string{"enclosurelength", "bytes", "filesize", "podcastbytes", "podcastlength", "podcastsize", "audiobytes", "audiosize", "audiolength", "mp3size"}
	typeKeys     = []string{"type", "mimetype", "mime", "mediatype"}
	typeBeside   = []string{"enclosuretype", "mimetype", "audiotype"}
	timeKeys     = []string{"duration", "durationinseconds", "durationseconds", "itunesduration"}
	timeBeside   = []string{"duration", "podcastduration", "audioduration", "itunesduration", "episodeduration"}
)

// recordingName is the end of an address that a recording has.
var recordingName = regexp.MustCompile(`(?i)^\.(?:mp3|m4[abv]|aac|flac|wav|og[agv]|opus|weba|webm|mp4|mov)$`)

// enclosure gives the recording that belongs to the post.
func (f *fields) enclosure() Enclosure {
	n, at := f.recording()
	if n == nil {
		return Enclosure{}
	}
	e := Enclosure{}
	if n.kind == tableKind {
		e = enclosureOf(n)
	} else if e = enclosureOfText(n.scalar()); e.URL == "" {
		return e
	}
	beside := func(keys []string) *node { return firstOf(keys, at) }
	if size := beside(lengthBeside); e.Length == 0 && size != nil {
		if size.kind == tableKind { // by format: {mp3: 1234}
			size = size.get(strings.TrimPrefix(strings.ToLower(path.Ext(e.URL)), "."))
		}
		e.Length = byteCount(size.scalar())
	}
	if e.Type == "" {
		e.Type = clean(beside(typeBeside).scalar())
	}
	if e.Duration == 0 {
		e.Duration = duration(beside(timeBeside).scalar())
	}
	return e
}

// recording gives the value that names a recording, and a function that looks
// for keys beside it.
func (f *fields) recording() (*node, func(key string) *node) {
	tables := []func(string) *node{f.peek}
	for _, key := range []string{"params", "extra"} {
		if table := f.peek(key); table != nil && table.kind == tableKind {
			tables = append(tables, table.get)
		}
	}
	for i, at := range tables {
		for _, key := range enclosureKeys {
			n := at(key)
			if n != nil && n.kind == listKind && len(n.items) > 0 {
				n = n.items[0]
			}
			if named := n != nil && namesRecording(n, strings.HasPrefix(key, "enclosure")); named {
				if i == 0 && key != "link" {
					f.get(key)
				}
				return n, at
			}
		}
	}
	return nil, nil
}

// namesRecording reports whether a value is the address of a recording, or a
// table that has one; where nothing else can be meant, any address will do.
func namesRecording(n *node, sure bool) bool {
	var e Enclosure
	switch n.kind {
	case tableKind:
		e = enclosureOf(n)
	case textKind:
		e = enclosureOfText(n.scalar())
	}
	return e.URL != "" && (sure || strings.HasPrefix(e.Type, "audio/") || strings.HasPrefix(e.Type, "video/") || isRecording(e.URL))
}

func isRecording(address string) bool {
	u, err := url.Parse(address)
	return err == nil && recordingName.MatchString(path.Ext(u.Path))
}

func enclosureOf(table *node) Enclosure {
	return Enclosure{
		URL:      fileAddress(firstOf(addressKeys, table.get).scalar()),
		Type:     clean(firstOf(typeKeys, table.get).scalar()),
		Length:   byteCount(firstOf(lengthKeys, table.get).scalar()),
		Duration: duration(firstOf(timeKeys, table.get).scalar()),
	}
}

// enclosureOfText reads an address, or what WordPress exports: the address,
// the length and the type, each on a line.
func enclosureOfText(text string) Enclosure {
	if lines := strings.Fields(text); len(lines) == 3 && byteCount(lines[1]) > 0 && strings.Contains(lines[2], "/") {
		return Enclosure{URL: fileAddress(lines[0]), Length: byteCount(lines[1]), Type: clean(lines[2])}
	}
	return Enclosure{URL: fileAddress(text)}
}

// firstOf gives the value of the first key that has a text or a table.
func firstOf(keys []string, get func(string) *node) *node {
	for _, key := range keys {
		if n := get(key); n.scalar() != "" || n != nil && n.kind == tableKind {
			return n
		}
	}
	return nil
}

// byteCount reads an exact number of bytes; 0 for "13.7 MB" and the like,
// since a length must be exact.
func byteCount(text string) int64 {
	n, err := strconv.ParseInt(strings.NewReplacer(",", "", "_", "").Replace(text), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// duration reads 1:02:03, 62:03, or a number of seconds; 0 if it is none.
func duration(text string) time.Duration {
	parts := strings.Split(text, ":")
	if len(parts) > 3 {
		return 0
	}
	var seconds float64
	for _, part := range parts {
		n, err := strconv.ParseFloat(part, 64)
		if err != nil || !(n >= 0) {
			return 0
		}
		seconds = seconds*60 + n
	}
	if seconds > (1000 * time.Hour).Seconds() {
		return 0
	}
	return time.Duration(math.Round(seconds*1000)) * time.Millisecond
}

// comments gives the address of a discussion; "comments: true" is a switch of
// many themes, and none.
func (f *fields) comments() string {
	for _, key := range []string{"comments", "commentsurl", "commentslink", "discussion", "discussionurl", "discussionlink"} {
		n := f.peek(key)
		if n == nil || n.kind != textKind {
			continue
		}
		address := n.scalar()
		if webAddress.MatchString(address) || strings.HasPrefix(address, "/") || strings.HasPrefix(address, "#") {
			if address = untemplated(address); !strings.Contains(address, unknown) && !slices.Contains([]string{"/", "#"}, address) {
				f.get(key)
				return clean(address)
			}
		}
	}
	return ""
}
