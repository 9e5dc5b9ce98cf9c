package relay

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"slices"
	"strings"
	"unicode"
)

// Bounds on what a relay may answer. RFC 5321 §4.5.3.1.5 allows lines of 512
// octets; more is read to find the end, but not kept.
const (
	maxReplySize = 64 << 10
	maxReplyText = 200 // characters kept for people
)

var errMalformed = errors.New("malformed reply")

// readReply reads one reply of one or more lines (RFC 5321 §4.2). Enhanced codes
// of later lines that say something else than the first stand before the text,
// of which the beginning is kept: they may change what the reply means.
func readReply(r *bufio.Reader) (Reply, error) {
	var reply Reply
	var text strings.Builder
	var others []string
	for budget := maxReplySize; ; {
		line, err := readLine(r, &budget)
		if err != nil {
			return Reply{}, err
		}
		code, rest, last, err := parseLine(line)
		if err != nil {
			return Reply{}, err
		}
		if reply.Code != 0 && code != reply.Code {
			return Reply{}, fmt.Errorf("%w: code changes from %d to %d", errMalformed, reply.Code, code)
		}
		reply.Code = code
		enhanced, words := cutEnhanced(code, rest)
		if reply.Enhanced == "" {
			reply.Enhanced = enhanced
		} else if enhanced != "" && enhanced != reply.Enhanced && len(others) < 8 && !slices.Contains(others, enhanced) {
			others = append(others, enhanced)
		}
		if text.Len() < 4*maxReplyText {
			text.WriteString(words + " ")
		}
		if last {
			reply.Text = clean(strings.Join(append(others, text.String()), " "))
			return reply, nil
		}
	}
}

// readLine reads a line without its end, and takes its length off budget. Of
// a line that does not fit the buffer it gives the beginning.
func readLine(r *bufio.Reader, budget *int) (string, error) {
	var line string
	for first := true; ; first = false {
		part, err := r.ReadSlice('\n')
		if *budget -= len(part); *budget < 0 {
			return "", fmt.Errorf("%w: longer than %d bytes", errMalformed, maxReplySize)
		}
		if first {
			line = strings.TrimRight(string(part), "\r\n")
		}
		switch {
		case err == nil:
			return line, nil
		case errors.Is(err, io.EOF):
			return "", io.ErrUnexpectedEOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return "", err
		}
	}
}

// parseLine splits a line into its code and text and says whether it is the
// last one of its reply.
func parseLine(line string) (code int, text string, last bool, err error) {
	if len(line) < 3 || line[0] < '2' || line[0] > '5' || !isDigit(line[1]) || !isDigit(line[2]) {
		return 0, "", false, fmt.Errorf("%w: %q", errMalformed, clean(line))
	}
	code = int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
	switch {
	case len(line) == 3:
		return code, "", true, nil
	case line[3] == ' ' || line[3] == '-':
		return code, line[4:], line[3] == ' ', nil
	}
	return 0, "", false, fmt.Errorf("%w: %q", errMalformed, clean(line))
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// cutEnhanced splits off an enhanced status code (RFC 2034 §4), whose class
// is the one of the reply.
func cutEnhanced(code int, text string) (enhanced, rest string) {
	word, rest, _ := strings.Cut(text, " ")
	class, detail, found := strings.Cut(word, ".")
	if !found || class != string(rune('0'+code/100)) {
		return "", text
	}
	subject, detail, found := strings.Cut(detail, ".")
	if !found || !isStatusNumber(subject) || !isStatusNumber(detail) {
		return "", text
	}
	return word, rest
}

func isStatusNumber(s string) bool {
	return len(s) >= 1 && len(s) <= 3 && strings.Trim(s, "0123456789") == ""
}

// clean makes a relay's words fit to be stored and shown: one line of at most
// maxReplyText printable characters.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > maxReplyText {
		s = string(runes[:maxReplyText])
	}
	return s
}

// replyIn gives the reply that go-mail wraps in an error, if there is one.
func replyIn(err error) Reply {
	var refused *textproto.Error
	if !errors.As(err, &refused) {
		return Reply{}
	}
	enhanced, text := cutEnhanced(refused.Code, refused.Msg)
	return Reply{Code: refused.Code, Enhanced: enhanced, Text: clean(text)}
}
