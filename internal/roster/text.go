package roster

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Byte order marks (Unicode §2.6, §23.8).
var (
	markUTF8    = []byte("\xef\xbb\xbf")
	markUTF16LE = []byte("\xff\xfe")
	markUTF16BE = []byte("\xfe\xff")
)

// plainText gives a text without its byte order mark, UTF-16 as UTF-8, and
// with line feeds at the ends of its lines. UTF-16 without a mark is known by
// the zero bytes beside its first letters.
func plainText(in io.Reader) *bufio.Reader {
	r := unmarked(in)
	if head, _ := r.Peek(16 << 10); bytes.IndexByte(head, '\r') >= 0 && bytes.IndexByte(head, '\n') < 0 {
		return bufio.NewReaderSize(lineFeeds{r}, 64<<10)
	}
	return r
}

// lineFeeds reads a text whose lines end with a carriage return alone, as some
// spreadsheets save it.
type lineFeeds struct{ in io.Reader }

func (l lineFeeds) Read(p []byte) (int, error) {
	n, err := l.in.Read(p)
	for i := range p[:n] {
		if p[i] == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

func unmarked(in io.Reader) *bufio.Reader {
	r := bufio.NewReaderSize(in, 64<<10)
	head, _ := r.Peek(4)
	var order unicode.Endianness
	switch {
	case bytes.HasPrefix(head, markUTF8):
		_, _ = r.Discard(len(markUTF8))
		return r
	case bytes.HasPrefix(head, markUTF16LE), len(head) == 4 && head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
		order = unicode.LittleEndian
	case bytes.HasPrefix(head, markUTF16BE), len(head) == 4 && head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0:
		order = unicode.BigEndian
	default:
		return r
	}
	return bufio.NewReaderSize(transform.NewReader(r, unicode.UTF16(order, unicode.UseBOM).NewDecoder()), 64<<10)
}

// readable gives a cell as UTF-8: what is not is Windows-1252, of which Latin-1
// is a part. A text in that is hardly ever UTF-8 by accident, so each cell
// tells by itself, and a file in which the two are mixed is read too.
func readable(cell string) (string, error) {
	if !utf8.ValidString(cell) {
		text, err := charmap.Windows1252.NewDecoder().String(cell)
		if err != nil || strings.ContainsRune(text, utf8.RuneError) {
			return "", badLine("%q is neither UTF-8 nor Windows-1252; convert the file to UTF-8 first", shorten(cell))
		}
		cell = text
	}
	if strings.ContainsRune(cell, 0) {
		return "", badLine("there are zero bytes in it; the file is damaged, or no text")
	}
	return cell, nil
}
