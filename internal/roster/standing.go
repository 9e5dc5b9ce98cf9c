package roster

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"tidings/internal/store"
)

// A standing reads from a row whether its person is a reader. What it finds makes
// the record stricter, never the other way.
type standing func(cells []string, rec *Record) error

// standings are those of a plain list. Whatever the columns are called: who is
// marked as gone must not become a reader.
func (t *table) standings() (all []standing) {
	add := func(names []string, read func(c named) standing) {
		for _, c := range t.all(names) {
			all = append(all, read(c))
		}
	}
	add(statusNames, status)
	add(stateNames, state)
	for _, kind := range []struct {
		names    []string
		suppress string
	}{{leftNames, ""}, {bouncedNames, store.ReasonBounce}, {complainedNames, store.ReasonComplaint}, {blockedNames, store.ReasonManual}} {
		add(kind.names, func(c named) standing { return left(c, kind.suppress) })
	}
	add(joinedNames, joined)
	return all
}

// doubtful are the standings of columns that nobody knows, but whose names or
// cells tell of leaving.
func (t *table) doubtful() (all []standing) {
	var others []named
	for _, c := range t.unused() {
		name := fold(c.name)
		read := func(how standing) {
			t.used[c.at] = true
			all = append(all, how)
		}
		harmless := slices.ContainsFunc(harmlessEnds, func(end string) bool { return strings.HasSuffix(name, end) })
		switch {
		case harmless:
		case containsAny(name, leavingParts):
			read(left(c, ""))
		case containsAny(name, joiningParts):
			read(declined(c))
		default:
			others = append(others, c)
		}
	}
	if len(others) == 0 {
		return all
	}
	return append(all, func(cells []string, _ *Record) error {
		for _, c := range others {
			if word := c.cell(cells); len(word) >= 4 && gone[fold(word)] {
				return badLine("%s is %q: it may mean that they left; call the column status, or leave it out", shorten(c.name), shorten(word))
			}
		}
		return nil
	})
}

// status reads a word, which must be known.
func status(c named) standing {
	return func(cells []string, rec *Record) error {
		var own Record
		if err := own.setStatus(c.cell(cells)); err != nil {
			return err
		}
		rec.restrict(own.Status, own.Suppress, own.Note)
		return nil
	}
}

// state reads a word that may be of something else.
func state(c named) standing {
	return func(cells []string, rec *Record) error {
		var own Record
		word := c.cell(cells)
		if own.setStatus(word) == nil {
			rec.restrict(own.Status, own.Suppress, own.Note)
		} else if idle[fold(word)] {
			return badLine("%s %q may mean that they left; write active or unsubscribed", shorten(c.name), shorten(word))
		}
		return nil
	}
}

// left reads a cell that says whether somebody left, or when. A day that cannot
// be read is one.
func left(c named, suppress string) standing {
	return func(cells []string, rec *Record) error {
		cell := c.cell(cells)
		switch at, err := readTime("", cell); {
		case no(cell):
			return nil
		case yes(cell):
		case err == nil:
			rec.EndedAt = at
		case gone[fold(cell)], strings.IndexFunc(cell, unicode.IsDigit) >= 0 && len(cell) >= len("1.1.24"):
		default:
			return badLine("%s %q is neither yes nor no nor a day", shorten(c.name), shorten(cell))
		}
		rec.restrict(store.StatusUnsubscribed, suppress, strings.ToLower(c.name))
		return nil
	}
}

// joined reads a cell that says whether somebody is a reader, or since when. One
// that is empty says nothing, where others say yes: such a row is not guessed at.
func joined(c named) standing {
	return func(cells []string, rec *Record) error {
		cell := c.cell(cells)
		_, err := readTime("", cell)
		switch {
		case cell == "":
			return badLine("%s is empty: write yes or no, or leave the column out", shorten(c.name))
		case yes(cell), err == nil:
			return nil
		case no(cell):
			rec.restrict(store.StatusUnsubscribed, "", "")
			return nil
		}
		var own Record
		if own.setStatus(cell) != nil {
			return badLine("%s %q is neither yes nor no", shorten(c.name), shorten(cell))
		}
		rec.restrict(own.Status, own.Suppress, own.Note)
		return nil
	}
}

// declined reads a cell of a column that may be about joining: that it says no.
func declined(c named) standing {
	return func(cells []string, rec *Record) error {
		if cell := c.cell(cells); cell != "" && no(cell) || gone[fold(cell)] {
			rec.restrict(store.StatusUnsubscribed, "", "")
		}
		return nil
	}
}

// confirmation reads whether somebody confirmed, or when.
func (rec *Record) confirmation(c named, cells []string) error {
	cell := c.cell(cells)
	switch at, err := readTime("", cell); {
	case cell == "", yes(cell):
		return nil
	case no(cell):
		rec.restrict(store.StatusPending, "", "")
		return nil
	case err == nil:
		rec.ConfirmedAt = at
		return nil
	case rec.Status == store.StatusUnsubscribed:
		return nil
	default:
		return badLine("%s %q is neither yes nor no nor an RFC 3339 instant nor a date", shorten(c.name), shorten(cell))
	}
}

// restrict makes a record as strict as something that was found of its person.
func (rec *Record) restrict(status, suppress, note string) {
	rank := func(status, suppress string) int {
		if suppress != "" {
			return 4
		}
		return slices.Index([]string{"", store.StatusActive, store.StatusPending, store.StatusUnsubscribed}, status)
	}
	if rank(status, suppress) > rank(rec.Status, rec.Suppress) {
		rec.Status, rec.Suppress = status, suppress
		if suppress != "" {
			rec.Note = cmp.Or(rec.Note, note)
		}
	}
}
