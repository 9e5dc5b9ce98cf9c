package inline

import (
	"errors"
	"io"
	"strings"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/css"
)

// declaration is a property with its value.
type declaration struct {
	property, value string
	important       bool
}

// Check reports what is wrong with a style sheet, and at which byte of it; nil
// if it is in order.
func Check(sheet string) (offset int, err error) {
	p := css.NewParser(parse.NewInputString(sheet), false)
	for {
		if g, _, _ := p.Next(); g != css.ErrorGrammar {
			continue
		}
		err := p.Err()
		if errors.Is(err, io.EOF) {
			return 0, nil
		}
		var fault *parse.Error
		if errors.As(err, &fault) {
			return offsetOf(sheet, fault.Line, fault.Column), errors.New(fault.Message)
		}
		return p.Offset(), err
	}
}

// offsetOf gives the byte at a line and column, which count from 1, columns in
// characters.
func offsetOf(text string, line, column int) int {
	offset := 0
	for ; line > 1; line-- {
		offset += strings.IndexByte(text[offset:], '\n') + 1
	}
	for i := range text[offset:] {
		if column--; column <= 0 {
			return offset + i
		}
	}
	return len(text)
}

// sheetParser goes through a style sheet.
type sheetParser struct {
	*css.Parser
	rest    strings.Builder
	rule    func(selectors []string, declarations []declaration) (kept []string)
	query   []bool // for each at-rule around: whether it holds rules for elements
	current []string
	found   []declaration
}

// parseSheet has rule called for each rule outside of at-rules, and gives the
// sheet without what rule does not want kept. What cannot be read is left out,
// as browsers do.
func parseSheet(sheet string, rule func([]string, []declaration) []string) (rest string) {
	p := &sheetParser{Parser: css.NewParser(parse.NewInputString(sheet), false), rule: rule}
	for {
		kind, _, data := p.Next()
		if kind == css.ErrorGrammar && errors.Is(p.Err(), io.EOF) {
			return p.rest.String()
		}
		p.take(kind, string(data))
	}
}

func (p *sheetParser) take(kind css.GrammarType, data string) {
	switch kind {
	case css.AtRuleGrammar:
		p.rest.WriteString(data + p.text() + ";\n")
	case css.BeginAtRuleGrammar:
		p.query = append(p.query, data == "@media" || data == "@supports")
		p.rest.WriteString(data + p.text() + "{")
	case css.EndAtRuleGrammar:
		p.query = p.query[:max(len(p.query)-1, 0)]
		p.rest.WriteString("}\n")
	case css.QualifiedRuleGrammar, css.BeginRulesetGrammar:
		p.current = p.selectors()
	case css.EndRulesetGrammar:
		p.endRule()
	case css.DeclarationGrammar, css.CustomPropertyGrammar:
		d := declarationOf(data, p.Values())
		if p.current == nil {
			p.rest.WriteString(d.text() + ";")
			return
		}
		p.found = append(p.found, d)
	case css.TokenGrammar:
		p.rest.WriteString(data)
	}
}

// endRule decides where a rule goes.
func (p *sheetParser) endRule() {
	kept := p.current
	switch {
	case len(p.query) == 0:
		kept = p.rule(p.current, p.found)
		fallthrough
	case p.query[len(p.query)-1]:
		for i := range p.found {
			p.found[i].important = true
		}
	}
	if len(kept) > 0 && len(p.found) > 0 {
		parts := make([]string, len(p.found))
		for i, d := range p.found {
			parts[i] = d.text()
		}
		p.rest.WriteString(strings.Join(kept, ",") + "{" + strings.Join(parts, ";") + "}\n")
	}
	p.current, p.found = nil, nil
}

// text is the rest of what was just read, after a space.
func (p *sheetParser) text() string {
	var b strings.Builder
	if len(p.Values()) > 0 && p.Values()[0].TokenType != css.WhitespaceToken {
		b.WriteByte(' ')
	}
	for _, t := range p.Values() {
		b.Write(t.Data)
	}
	return b.String()
}

// selectors splits the selectors of a rule at their commas, those within
// brackets aside.
func (p *sheetParser) selectors() []string {
	var all []string
	var b strings.Builder
	depth := 0
	for _, t := range p.Values() {
		switch t.TokenType {
		case css.LeftParenthesisToken, css.LeftBracketToken, css.FunctionToken:
			depth++
		case css.RightParenthesisToken, css.RightBracketToken:
			depth--
		case css.CommaToken:
			if depth == 0 {
				all = append(all, strings.TrimSpace(b.String()))
				b.Reset()
				continue
			}
		}
		b.Write(t.Data)
	}
	return append(all, strings.TrimSpace(b.String()))
}

func declarationOf(property string, values []css.Token) declaration {
	d := declaration{property: strings.ToLower(property)}
	if n := len(values); n >= 2 && values[n-2].TokenType == css.DelimToken && string(values[n-2].Data) == "!" && strings.EqualFold(string(values[n-1].Data), "important") {
		d.important = true
		values = values[:n-2]
	}
	var b strings.Builder
	for _, t := range values {
		b.Write(t.Data)
	}
	d.value = strings.TrimSpace(b.String())
	return d
}

func (d declaration) text() string {
	if d.important {
		return d.property + ":" + d.value + "!important"
	}
	return d.property + ":" + d.value
}

// parseAttribute reads a style attribute; what cannot be read is left out, as
// browsers do.
func parseAttribute(style string) []declaration {
	var all []declaration
	p := css.NewParser(parse.NewInputString(style), true)
	for {
		kind, _, data := p.Next()
		switch kind {
		case css.DeclarationGrammar, css.CustomPropertyGrammar:
			all = append(all, declarationOf(string(data), p.Values()))
		case css.ErrorGrammar:
			if errors.Is(p.Err(), io.EOF) {
				return all
			}
		}
	}
}
