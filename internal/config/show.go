package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// redacted stands for a secret that is set.
const redacted = "xxxxx"

// Show writes the configuration in effect as YAML, in the order of the
// reference and without secrets.
func (c *Config) Show(w io.Writer) error {
	var b bytes.Buffer
	c.tree().writeYAML(&b, "")
	if _, err := b.WriteTo(w); err != nil {
		return fmt.Errorf("show the configuration: %w", err)
	}
	return nil
}

// ShowJSON writes what Show does as one JSON document.
func (c *Config) ShowJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // addresses hold < and >
	enc.SetIndent("", "  ")
	if err := enc.Encode(c.tree()); err != nil {
		return fmt.Errorf("show the configuration: %w", err)
	}
	return nil
}

// mapping is a mapping with an order.
type mapping []pair

type pair struct {
	key   string
	value any // a mapping or a plain value
}

func (c *Config) tree() mapping { return treeOf(reflect.ValueOf(c).Elem()) }

func treeOf(section reflect.Value) mapping {
	m := mapping{}
	for _, f := range fieldsOf(section.Type()) {
		m = append(m, pair{f.key, shown(f, section.Field(f.at))})
	}
	return m
}

func shown(f field, v reflect.Value) any {
	if _, many := f.ofCollection(); many {
		m := mapping{}
		for i := range v.Len() {
			m = append(m, pair{v.Index(i).FieldByName("Name").String(), treeOf(v.Index(i))})
		}
		return m
	}
	switch value := v.Interface().(type) {
	case time.Duration:
		return FormatDuration(value)
	case float64:
		return json.Number(strconv.FormatFloat(value, 'f', -1, 64)) // 0, not 0.0
	case []string:
		return append([]string{}, value...) // [] rather than null
	case string:
		if f.rule.secret {
			return hide(f.rule, value)
		}
	}
	if f.kind.Kind() == reflect.Struct {
		return treeOf(v)
	}
	return v.Interface()
}

// hide keeps of a secret what is none.
func hide(r rule, secret string) string {
	switch {
	case secret == "":
		return ""
	case r.form == "database":
		return hideDatabase(secret)
	}
	return redacted
}

// hideDatabase hides the passwords inside a database's address.
func hideDatabase(address string) string {
	if _, ok := (Database{URL: address}).SQLite(); ok {
		return address
	}
	u, err := url.Parse(address)
	if err != nil {
		return redacted
	}
	if _, ok := u.User.Password(); ok {
		u.User = url.UserPassword(u.User.Username(), redacted)
	}
	query := u.Query()
	for name := range query {
		if strings.Contains(name, "password") {
			query.Set(name, redacted)
			u.RawQuery = query.Encode()
		}
	}
	return u.String()
}

// writeYAML writes one key a line; lists and empty mappings stay on it.
func (m mapping) writeYAML(b *bytes.Buffer, indent string) {
	for _, p := range m {
		fmt.Fprintf(b, "%s%s:", indent, yamlText(p.key))
		switch value := p.value.(type) {
		case mapping:
			if len(value) == 0 {
				b.WriteString(" {}")
			}
			b.WriteByte('\n')
			value.writeYAML(b, indent+"  ")
			continue
		case []string:
			items := make([]string, len(value))
			for i, s := range value {
				items[i] = yamlText(s)
			}
			fmt.Fprintf(b, " [%s]", strings.Join(items, ", "))
		case string:
			b.WriteString(" " + yamlText(value))
		default:
			fmt.Fprintf(b, " %v", value)
		}
		b.WriteByte('\n')
	}
}

// plainText is what YAML takes for text without quotes in every context, and
// durations.
var plainText = regexp.MustCompile(`^([A-Za-z/][A-Za-z0-9_/.@<>-]*([ :][A-Za-z0-9_/.@<>-]+)*|([0-9.]+(ns|µs|ms|s|m|h|d))+)$`)

// yamlText quotes where needed. A JSON string is a YAML string.
func yamlText(s string) string {
	switch strings.ToLower(s) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
	default:
		if plainText.MatchString(s) {
			return s
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return strconv.Quote(s) // a string always encodes
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// MarshalJSON keeps the order, which a map would lose.
func (m mapping) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, p := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := enc.Encode(p.key); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := enc.Encode(p.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
