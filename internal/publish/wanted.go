package publish

import (
	"fmt"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// wantedFiles gives the files of a set, documents before extra ones, and those
// for a host last. No two are one file where case or composition is ignored.
func wantedFiles(set *Set, hosting []alias) ([]file, error) {
	taken := map[string]string{}
	var files []file
	for _, d := range set.Documents() {
		name := strings.TrimPrefix(d.Path, "/")
		for segment := range strings.SplitSeq(name, "/") {
			if !safeSegment(segment) {
				return nil, fmt.Errorf("%q is not safe as a file name", d.Path)
			}
		}
		folded := foldName(name)
		if other, used := taken[folded]; used {
			return nil, fmt.Errorf("%q and %q are one file where case is ignored", other, d.Path)
		}
		taken[folded] = d.Path
		files = append(files, file{name: name, doc: d})
	}
	for _, d := range set.attached {
		name := strings.TrimPrefix(d.Path, "/")
		taken[foldName(name)] = d.Path
		files = append(files, file{name: name, doc: d, extra: true})
	}
	for _, a := range append(set.copies(), hosting...) {
		name := strings.TrimPrefix(a.path, "/")
		if folded := foldName(name); taken[folded] == "" {
			taken[folded] = a.path
			files = append(files, file{name: name, doc: a.doc, extra: true})
		}
	}
	return files, nil
}

// foldName is the form in which file systems that ignore case and composition
// compare names.
func foldName(name string) string { return strings.ToLower(norm.NFC.String(name)) }
