package bounce

import (
	"bufio"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/emersion/go-message"
)

// A field is a line of a header, its continuations joined.
type field struct{ name, value string }

// fields are those of one header or group.
type fields []field

// get gives the value of the first field of a name; "" if there is none.
func (fs fields) get(name string) string {
	for _, f := range fs {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	return ""
}

// all gives the values of all fields of a name.
func (fs fields) all(name string) (values []string) {
	for _, f := range fs {
		if strings.EqualFold(f.name, name) {
			values = append(values, f.value)
		}
	}
	return values
}

// readGroups reads groups of fields, apart by blank lines (RFC 3464 §2.1). It
// passes over lines that are no fields, for many servers write such, and ends
// after most groups or size bytes.
func readGroups(r io.Reader, most int, size int64) []fields {
	var groups []fields
	var group fields
	lines := bufio.NewScanner(io.LimitReader(r, size))
	lines.Buffer(nil, maxText)
	for lines.Scan() && len(groups) < most {
		line := strings.ToValidUTF8(strings.TrimRight(lines.Text(), " \t\r"), "\uFFFD")
		name, value, found := strings.Cut(line, ":")
		switch {
		case line == "":
			if group != nil {
				groups, group = append(groups, group), nil
			}
		case line[0] == ' ' || line[0] == '\t':
			if last := len(group) - 1; last >= 0 {
				group[last].value += " " + strings.TrimSpace(line)
			}
		case found && !strings.ContainsAny(name, " \t"):
			group = append(group, field{name, strings.TrimSpace(value)})
		}
	}
	if group != nil && len(groups) < most {
		groups = append(groups, group)
	}
	return groups
}

// readOriginal takes what identifies the returned mail from its header.
func (p *parser) readOriginal(r io.Reader) {
	groups := readGroups(r, 1, maxText)
	if len(groups) == 0 || p.report.Original.MessageID != "" {
		return
	}
	o := &p.report.Original
	o.MessageID = strings.Trim(groups[0].get("Message-ID"), "<> \t")
	if path := groups[0].get("Return-Path"); path != "" && o.ReturnPath == "" {
		o.ReturnPath = bare(path)
	}
}

// deliveredTo gives the addresses to which a message was delivered, as the
// last servers on its way have noted them.
func deliveredTo(h message.Header) []string {
	var list []string
	for _, name := range []string{"Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To"} {
		for f := h.FieldsByKey(name); f.Next() && len(list) < maxTo; {
			for one := range strings.SplitSeq(f.Value(), ",") {
				if one = bare(one); one != "" && !slices.Contains(list, one) {
					list = append(list, one)
				}
			}
		}
	}
	return list
}

// bare takes the address out of "Name <address>" or of blanks around it.
func bare(s string) string {
	if start := strings.LastIndexByte(s, '<'); start >= 0 {
		s = s[start+1:]
		if end := strings.IndexByte(s, '>'); end >= 0 {
			s = s[:end]
		}
	}
	return strings.TrimSpace(s)
}

// typed takes the value out of "type; value" (RFC 3464 §2.1.2).
func typed(s string) (kind, value string) {
	kind, value, found := strings.Cut(s, ";")
	if !found {
		return "", strings.TrimSpace(s)
	}
	return strings.ToLower(strings.TrimSpace(kind)), strings.TrimSpace(value)
}

// typedAddress gives the address of a field such as "rfc822; a@example.org".
// Letters beyond ASCII may be written as \x{E5} (RFC 6533 §3).
func typedAddress(s string) string {
	kind, value := typed(s)
	value = bare(value)
	if kind != "utf-8" {
		return value
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(value, `\x{`)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		code, after, closed := strings.Cut(rest, "}")
		n, err := strconv.ParseUint(code, 16, 32)
		if !closed || err != nil || n > 0x10FFFF {
			return b.String() + `\x{` + rest
		}
		b.WriteRune(rune(n))
		value = after
	}
}
