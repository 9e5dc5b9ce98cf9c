package publish

// An Object is a document as it stands in a store that keeps the headers of
// each of its objects, such as a bucket.
type Object struct {
	Name string // slash-separated, without a slash before it
	*Document
	// Extra marks an object that gives way to one which somebody else put in
	// its place, is not counted, and has no compressed siblings.
	Extra bool
}

// Objects gives what a store of objects holds of the set, in rounds: what an
// object names is in its own round or in an earlier one. First come archives
// and their style sheet, then the feeds, then the OPML that lists them, then
// the copies at further addresses.
// Rules for web servers are not among them: the objects carry their headers
// themselves.
func (s *Set) Objects() ([][]Object, error) {
	files, err := wantedFiles(s, nil)
	if err != nil {
		return nil, err
	}
	attached := map[string]bool{}
	for _, d := range s.attached {
		attached[d.Path] = true
	}
	rounds := make([][]Object, 4)
	for _, f := range files {
		round := 1
		switch {
		case f.doc == s.OPML && !f.extra:
			round = 2
		case f.extra && attached["/"+f.name]:
			round = 0
		case f.extra:
			round = 3
		}
		rounds[round] = append(rounds[round], Object{Name: f.name, Document: f.doc, Extra: f.extra})
	}
	return rounds, nil
}

// Suffix is what the name of a document in the coding ends with, beside the
// plain one: ".gz" for "gzip".
func Suffix(coding string) string { return suffixes[coding] }
