package post

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Hold is the value of Announce for a post that is not to be mailed for now.
const Hold = "hold"

// setMailing sets what a post says of its own way into digests. The feeds do
// not look at it.
func (f *fields) setMailing(p *Post) {
	p.Pinned = f.plainSwitch("pin") || f.plainSwitch("pinned")
	p.Announce = f.announce()
	if f.plainSwitch("hold") {
		p.Announce = Hold
	}
}

// announce gives the value of the key if it asks for the post to be mailed
// again: "again", with anything behind it that tells one time from the next.
func (f *fields) announce() string {
	n := f.peek("announce")
	value := clean(n.scalar())
	if !strings.HasPrefix(strings.ToLower(value), "again") {
		if value != "" {
			f.warn(n.line, "announce: %q means nothing; write \"announce: again\" to have a post mailed once more", shortened(value))
		}
		return ""
	}
	f.get("announce")
	return value
}

// ifUnknown says what becomes of a post whose switch cannot be read.
var ifUnknown = map[string]string{"hold": "; the post is not mailed, to be safe"}

// plainSwitch reads a yes or no. Another value is a mistake, with which a post
// is rather held back than mailed.
func (f *fields) plainSwitch(key string) bool {
	n := f.peek(key)
	on, known := n.truth()
	if n == nil || n.blank() {
		return false
	}
	if !known {
		f.warn(n.line, "%s: %q is neither true nor false%s", f.spelling(key), shortened(n.scalar()), ifUnknown[key])
		return key == "hold"
	}
	f.get(key)
	return on
}

// Reading speeds, in words and in characters of scripts without spaces
// between words, a minute.
const (
	wordsAMinute      = 230
	charactersAMinute = 500
)

// minutes gives how long a text takes to read, rounded up; 0 for none. Of
// markup, words count as words: it is an estimate.
func minutes(body string) int {
	words, characters, inside := 0, 0, false
	for i := 0; i < len(body); {
		if body[i] < utf8.RuneSelf {
			var n, more int
			n, more, inside = asciiWords(body[i:], inside)
			i, words = i+n, words+more
			continue
		}
		r, size := utf8.DecodeRuneInString(body[i:])
		i += size
		switch {
		case unicode.In(r, unspaced...):
			characters++
			inside = false
		case unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r):
			if !inside {
				words++
			}
			inside = true
		default:
			inside = inside && r == '’'
		}
	}
	read := words*charactersAMinute + characters*wordsAMinute
	return (read + wordsAMinute*charactersAMinute - 1) / (wordsAMinute * charactersAMinute)
}

// asciiWords counts the words that begin in the ASCII at the start of a text, n
// bytes of it; inside tells whether a word is under way, before and after.
func asciiWords(text string, inside bool) (n, words int, after bool) {
	state := uint8(0) // 1 within a word
	if inside {
		state = 1
	}
	for n = 0; n < len(text) && text[n] < utf8.RuneSelf; n++ {
		class := wordClass[text[n]]
		words += int(class & 1 &^ state)
		state = class&1 | class>>1&state
	}
	return n, words, state == 1
}

// unspaced are scripts without spaces between words.
var unspaced = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar}

// wordClass is 1 for the ASCII characters that make a word, 2 for those that do
// not end one, and 0 for all others.
var wordClass = func() (class [256]uint8) {
	for _, c := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" {
		class[c] = 1
	}
	for _, c := range "'-_./" {
		class[c] = 2
	}
	return class
}()
