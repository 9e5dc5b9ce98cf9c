package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// squeezed are the codings of documents, the smallest result first.
var squeezed = [...]string{"br", "zstd", "gzip"}

// An acceptance is what a client can do with.
type acceptance struct {
	codings []int // places in squeezed, the best first
	plain   bool  // also the bytes as they are
}

// accepted reads Accept-Encoding (RFC 9110 §12.5.3). A coding has to be named
// with a weight above 0, and no lower than that of the bytes as they are. The
// wildcard names nothing: there are readers that send it and decode nothing.
func accepted(fields []string) acceptance {
	if len(fields) == 0 {
		return acceptance{plain: true}
	}
	var weights [len(squeezed)]float64
	plain := -1.0 // not named: better than nothing
	for _, field := range fields {
		for part := range strings.SplitSeq(field, ",") {
			name, params, _ := strings.Cut(part, ";")
			name = strings.TrimSpace(name)
			if i := codingNamed(name); i >= 0 {
				weights[i] = weight(params)
			} else if strings.EqualFold(name, "identity") {
				plain = weight(params)
			}
		}
	}
	best := make([]int, 0, len(squeezed))
	for i, w := range weights {
		if w > 0 && w >= plain {
			best = append(best, i)
		}
	}
	slices.SortStableFunc(best, func(a, b int) int { return cmp.Compare(weights[b], weights[a]) })
	return acceptance{best, plain != 0}
}

// codingNamed is the place of a coding in squeezed; -1 if it is none of them.
func codingNamed(name string) int {
	if strings.EqualFold(name, "x-gzip") { // RFC 9110 §8.4.1.3
		name = "gzip"
	}
	return slices.IndexFunc(squeezed[:], func(s string) bool { return strings.EqualFold(s, name) })
}

// names reports whether a coding is among those that a client takes.
func (a acceptance) names(coding string) bool {
	return slices.Contains(a.codings, codingNamed(coding))
}

// weight reads "q=0.5" (RFC 9110 §12.4.2); 1 if there is none, 0 if it is no
// number.
func weight(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || q < 0 || q > 1 {
			return 0
		}
		return q
	}
	return 1
}
