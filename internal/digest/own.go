package digest

import (
	"errors"
	"regexp"
	"strings"

	"tidings/internal/inline"
	"tidings/internal/tmpl"
)

var (
	action       = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	styleElement = regexp.MustCompile(`(?is)<style[^>]*>(.*?)</style\s*>`)
)

// sheets gives where a file has style sheets of its own, as offsets of their
// beginnings and ends; the built-in ones are made by functions.
func sheets(f tmpl.File) (places [][2]int) {
	bare := withoutActions(f.Source)
	for _, m := range styleElement.FindAllStringSubmatchIndex(bare, -1) {
		if strings.TrimSpace(bare[m[2]:m[3]]) != "" {
			places = append(places, [2]int{m[2], m[3]})
		}
	}
	return places
}

// withoutActions blanks out the actions of a template.
func withoutActions(source string) string {
	return action.ReplaceAllStringFunc(source, func(s string) string { return strings.Repeat(" ", len(s)) })
}

// checkSheets gives what is wrong with the style sheets of a file. One that
// holds actions is known only when it is made.
func checkSheets(f tmpl.File) error {
	var faults []error
	for _, at := range sheets(f) {
		sheet := f.Source[at[0]:at[1]]
		if action.MatchString(sheet) {
			continue
		}
		if offset, err := inline.Check(sheet); err != nil {
			faults = append(faults, f.Fault(at[0]+offset, "style sheet: "+err.Error()))
		}
	}
	return errors.Join(faults...)
}
