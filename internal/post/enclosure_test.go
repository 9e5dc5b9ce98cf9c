package post_test

import (
	"testing"
	"time"

	"tidings/internal/post"
)

// TestEnclosures holds the front matter of podcast themes.
func TestEnclosures(t *testing.T) {
	minutes := 14*time.Minute + 2*time.Second
	for name, c := range map[string]struct {
		lines string
		want  post.Enclosure
	}{
		"table": {
			"enclosure: {url: https://cdn.example/1.mp3, length: 61231442, type: audio/mpeg, duration: '14:02'}",
			post.Enclosure{URL: "https://cdn.example/1.mp3", Type: "audio/mpeg", Length: 61231442, Duration: minutes},
		},
		"address":          {"enclosure: /audio/1", post.Enclosure{URL: "/audio/1"}},
		"list":             {"enclosures:\n- {href: 1.ogg, size: '12,345'}\n- {href: 2.ogg}", post.Enclosure{URL: "1.ogg", Length: 12345}},
		"WordPress export": {"enclosure: |\n  https://cdn.example/1.mp3\n  1234\n  audio/mpeg", post.Enclosure{URL: "https://cdn.example/1.mp3", Length: 1234, Type: "audio/mpeg"}},
		"keys of one prefix": {
			"podcast_link: http://cdn.example/1.mp3\npodcast_file_size: 13.7 MB\npodcast_duration: \"14:02\"\npodcast_length: 13654375",
			post.Enclosure{URL: "http://cdn.example/1.mp3", Length: 13654375, Duration: minutes},
		},
		"a Hugo theme": {"podcast_file: 1.mp3\npodcast_duration: '0:14:02'\npodcast_bytes: 99", post.Enclosure{URL: "1.mp3", Length: 99, Duration: minutes}},
		"params":       {"params:\n  podcast: {src: ep/1.m4a, duration: 842}", post.Enclosure{URL: "ep/1.m4a", Duration: minutes}},
		"extra":        {"duration: 1:00:00\nextra: {audio: 1.opus, duration: 0:14:02}", post.Enclosure{URL: "1.opus", Duration: minutes}},
		"Eleventy": {
			"episode:\n  filename: S1E1, A Phase.mp3\n  size: 61231442\n  duration: 842.482\n  episodeNumber: 1",
			post.Enclosure{URL: "S1E1, A Phase.mp3", Length: 61231442, Duration: minutes + 482*time.Millisecond},
		},
		"by format":         {"audio: {ogg: 0.ogg, mp3: 0.mp3}\nfilesize: {mp3: 1234, ogg: 5678}", post.Enclosure{URL: "0.mp3", Length: 1234}},
		"a link post":       {"link: https://cdn.example/1.mp3?x=1\nduration: '02:47'", post.Enclosure{URL: "https://cdn.example/1.mp3?x=1", Duration: 167 * time.Second}},
		"type tells":        {"audio: {url: https://cdn.example/listen/1, type: audio/mp4}", post.Enclosure{URL: "https://cdn.example/listen/1", Type: "audio/mp4"}},
		"template":          {"audio: \"{{ '/1.mp3' | relative_url }}\"", post.Enclosure{URL: "/1.mp3"}},
		"template unknown":  {"audio: \"{{ site.cdn }}/1.mp3\"", post.Enclosure{}},
		"switch":            {"podcast: true\nduration: 5", post.Enclosure{}},
		"number":            {"episode: 12", post.Enclosure{}},
		"no recording":      {"link: https://example.org/page.html\nfile: a.pdf\nmedia: [a.png]", post.Enclosure{}},
		"nonsense":          {"enclosure: {url: 1.mp3, length: -5, duration: 'an:hour'}", post.Enclosure{URL: "1.mp3"}},
		"endless":           {"enclosure: {url: 1.mp3, length: 99999999999999999999, duration: 1e300}", post.Enclosure{URL: "1.mp3"}},
		"minutes in words":  {"audio: 1.mp3\nduration: 45 min", post.Enclosure{URL: "1.mp3"}},
		"more than seconds": {"audio: 1.mp3\nduration: '1:2:3:4'", post.Enclosure{URL: "1.mp3"}},
	} {
		if got := withFields(t, c.lines).Enclosure; got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestComments(t *testing.T) {
	for lines, want := range map[string]string{
		"comments: true":                                 "",
		"comments: https://example.org/t/1":              "https://example.org/t/1",
		"comments: disqus":                               "",
		"comments_url: /t/1":                             "/t/1",
		"discussion: '#comments'":                        "#comments",
		"comments: false\ndiscussionLink: https://a.b/c": "https://a.b/c",
		"comments: \"/{{ page.id }}\"":                   "",
		"comments: '#'":                                  "",
	} {
		if got := withFields(t, lines).Comments; got != want {
			t.Errorf("%s: %q, want %q", lines, got, want)
		}
	}
}

func TestWhatIsKnownOfPictures(t *testing.T) {
	for lines, want := range map[string]post.Post{
		"image: {path: /a.png, alt: A *b*, width: 1200, height: 630px}": {Image: "/a.png", ImageAlt: "A b", ImageSize: post.Size{Width: 1200, Height: 630}},
		"cover: {image: a.png, alt: A}":                                 {Image: "a.png", ImageAlt: "A"},
		"heroImage: a.png\nheroAlt: A":                                  {Image: "a.png", ImageAlt: "A"},
		"image: a.png\nimage_alt: A &amp; B":                            {Image: "a.png", ImageAlt: "A & B"},
		"image: {url: {src: a.png, width: 10}}":                         {Image: "a.png", ImageSize: post.Size{Width: 10}},
		"images: [{src: a.png, height: -1, width: wide}]":               {Image: "a.png"},
		"image: false\nimage_alt: A":                                    {},
	} {
		got := withFields(t, lines)
		if got.Image != want.Image || got.ImageAlt != want.ImageAlt || got.ImageSize != want.ImageSize {
			t.Errorf("%s: %q %q %v", lines, got.Image, got.ImageAlt, got.ImageSize)
		}
	}
}
