package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// unknownKey explains a key that a section does not have: by one that is
// spelled much alike, by its place elsewhere, or by what there is.
func unknownKey(name, path string, fields []field) string {
	var here []string
	for _, f := range fields {
		here = append(here, f.key)
	}
	message := "unknown key" + suggestion(name, here)
	if message != "unknown key" {
		return message
	}
	if elsewhere := homesOf(name); len(elsewhere) > 0 {
		return fmt.Sprintf("unknown key here; did you mean %s?", strings.Join(elsewhere, " or "))
	}
	if path == "" {
		path = "the top level"
	}
	return fmt.Sprintf("unknown key; %s has %s", path, strings.Join(here, ", "))
}

// suggestion gives "; did you mean …?" for the candidate most like s.
func suggestion(s string, candidates []string) string {
	best, most := "", 1
	if len(s) > 5 {
		most = 2
	}
	for _, c := range candidates {
		if d := distance(plain(s), plain(c)); d <= most {
			best, most = c, d-1
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// homesOf gives the full paths of the keys and sections of that name.
func homesOf(name string) []string {
	var homes []string
	for _, key := range keysBelow(reflect.TypeFor[Config](), "") {
		parts := strings.Split(key, ".")
		for i, part := range parts {
			home := strings.Join(parts[:i+1], ".")
			if part != anyName && plain(part) == plain(name) && !slices.Contains(homes, home) {
				homes = append(homes, home)
			}
		}
	}
	return homes
}

// plain forgets what people mix up: baseUrl, base-url, base_url.
func plain(key string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(key))
}

// distance is the number of letters to insert, delete, replace or swap with
// their neighbour to make b of a. Words far too long count as far apart.
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	if len(s) > 40 {
		return len(s)
	}
	rows := make([][]int, len(s)+1)
	for i := range rows {
		rows[i] = slices.Repeat([]int{i}, len(t)+1)
	}
	for j := range t {
		rows[0][j+1] = j + 1
	}
	for i := range s {
		for j := range t {
			d := min(rows[i][j+1], rows[i+1][j]) + 1
			if s[i] == t[j] {
				d = min(d, rows[i][j])
			}
			d = min(d, rows[i][j]+1)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				d = min(d, rows[i-1][j-1]+1)
			}
			rows[i+1][j+1] = d
		}
	}
	return rows[len(s)][len(t)]
}
