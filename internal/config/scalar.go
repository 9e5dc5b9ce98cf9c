package config

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// scalar is one value as it is written.
type scalar struct {
	text     string // variables expanded
	textual  bool   // YAML takes it for text, not for a number or a truth
	quoted   bool   // in quotes or a block: never anything but text
	expanded bool   // held a variable: may become anything
}

// scalar decodes one value; on a fault into stays as it is.
func (d *decoder) scalar(n ast.Node, r rule, key string, into reflect.Value) {
	s, problem := d.text(n)
	if problem == "" {
		problem = s.store(r, into)
	}
	if problem == "" {
		return
	}
	d.fault(placeOf(n), key, "%s", problem)
}

// text takes the text of a node and expands variables in it.
func (d *decoder) text(n ast.Node) (scalar, string) {
	var s scalar
	switch v := d.follow(n).(type) {
	case *ast.StringNode:
		s = scalar{text: restoreBraces(v.Value), textual: true, quoted: isQuoted(v)}
	case *ast.LiteralNode:
		// The line end of a block is not meant as part of a title.
		s = scalar{text: strings.TrimRight(restoreBraces(v.Value.Value), "\n"), textual: true, quoted: true}
	case *ast.IntegerNode:
		return scalar{text: fmt.Sprint(v.Value)}, ""
	case *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return scalar{text: strings.ToLower(v.GetToken().Value)}, ""
	case *ast.TagNode:
		if v.Start.Value != "!!str" {
			return s, "the tag " + v.Start.Value + " is not known here"
		}
		s, problem := d.text(v.Value)
		s.textual, s.quoted = true, true
		return s, problem
	default:
		return s, "expected one value, got " + d.describe(n)
	}
	return d.expand(s)
}

// expand replaces ${NAME}; $${NAME} stands for the text ${NAME}.
func (d *decoder) expand(s scalar) (scalar, string) {
	var b strings.Builder
	rest := s.text
	for {
		before, after, found := strings.Cut(rest, "${")
		if !found {
			break
		}
		if literal, ok := strings.CutSuffix(before, "$"); ok {
			b.WriteString(literal + "${")
			rest = after
			continue
		}
		m := variable.FindStringSubmatch("${" + after)
		if m == nil || !strings.HasPrefix("${"+after, m[0]) {
			return s, "${ must be followed by the name of an environment variable and }; write $${ for the two characters themselves"
		}
		value, ok := d.lookup(m[1])
		if !ok {
			return s, fmt.Sprintf("the environment variable %s is not set", m[1])
		}
		b.WriteString(before + value)
		rest = after[len(m[0])-len("${"):]
		s.expanded = true
	}
	b.WriteString(rest)
	s.text = b.String()
	return s, ""
}

func (d *decoder) lookup(name string) (string, bool) {
	if d.env == nil {
		return "", false
	}
	return d.env(name)
}

// store puts the value where it belongs, or says what is wrong with it.
func (s scalar) store(r rule, into reflect.Value) (problem string) {
	switch {
	case into.Type() == durationType:
		return s.storeDuration(r, into)
	case into.Kind() == reflect.String:
		return s.storeText(r, into)
	case s.quoted && !s.expanded:
		return fmt.Sprintf("expected %s, got text: leave out the quotes", wanted(into.Kind()))
	case into.Kind() == reflect.Bool:
		return s.storeBool(into)
	}
	return s.storeNumber(r, into)
}

func wanted(k reflect.Kind) string {
	switch k {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	}
	return "a number"
}

func (s scalar) storeBool(into reflect.Value) string {
	if s.text != "true" && s.text != "false" {
		return fmt.Sprintf("expected true or false, got %q", s.text)
	}
	into.SetBool(s.text == "true")
	return ""
}

func (s scalar) storeNumber(r rule, into reflect.Value) string {
	n, err := strconv.ParseFloat(strings.TrimSpace(s.text), 64)
	whole := into.Kind() == reflect.Int
	switch {
	case err != nil, math.IsNaN(n), math.IsInf(n, 0), whole && (n != math.Trunc(n) || math.Abs(n) > math.MaxInt32):
		return fmt.Sprintf("expected %s, got %q", wanted(into.Kind()), s.text)
	case n < float64(r.min) && r.min > 0:
		return fmt.Sprintf("must be at least %d, got %s", r.min, s.text)
	case n < 0:
		return fmt.Sprintf("must not be negative, got %s", s.text)
	case r.max > 0 && n > float64(r.max):
		return fmt.Sprintf("must be at most %d, got %s", r.max, s.text)
	case whole:
		into.SetInt(int64(n))
	default:
		into.SetFloat(n)
	}
	return ""
}

func (s scalar) storeDuration(r rule, into reflect.Value) string {
	v, err := ParseDuration(strings.TrimSpace(s.text))
	switch {
	case err != nil:
		return err.Error()
	case v < 0:
		return fmt.Sprintf("must not be negative, got %s", s.text)
	case v == 0 && r.positive:
		return "must be longer than nothing"
	}
	into.SetInt(int64(v))
	return ""
}

func (s scalar) storeText(r rule, into reflect.Value) string {
	if !s.textual {
		return fmt.Sprintf("expected text, got %s: put it in quotes", s.text)
	}
	if problem := r.check(s.text); problem != "" {
		return problem
	}
	into.SetString(s.text)
	return ""
}

// check says what is wrong with a text; it does not repeat a secret.
func (r rule) check(s string) string {
	switch {
	case s == "" && r.required:
		return "must not be empty"
	case s == "":
		return ""
	case strings.ContainsFunc(s, func(c rune) bool { return unicode.IsControl(c) && !(r.lines && c == '\n') }):
		return "must not hold line breaks or other control characters"
	case r.enum != nil && !slices.Contains(r.enum, s):
		return fmt.Sprintf("%q is not one of %s%s", s, strings.Join(r.enum, ", "), suggestion(s, r.enum))
	case r.form != "":
		return checkForm(r.form, s)
	}
	return ""
}

func isQuoted(n *ast.StringNode) bool {
	return n.Token.Type == token.SingleQuoteType || n.Token.Type == token.DoubleQuoteType
}
