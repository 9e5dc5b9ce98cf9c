package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// squeezed are the codings of documents, the smallest result first.
var squeezed = [...]string{"br", "zstd", "gzip"}

// accepted gives the codings that a client names with a weight above 0, as
// places in squeezed, the best first. The wildcard is not enough: there are
// readers that send it and decode nothing.
func accepted(fields []string) []int {
	var weights [len(squeezed)]float64
	for _, field := range fields {
		for part := range strings.SplitSeq(field, ",") {
			name, params, _ := strings.Cut(part, ";")
			if i := codingNamed(strings.TrimSpace(name)); i >= 0 {
				weights[i] = weight(params)
			}
		}
	}
	best := make([]int, 0, len(squeezed))
	for i, w := range weights {
		if w > 0 {
			best = append(best, i)
		}
	}
	slices.SortStableFunc(best, func(a, b int) int { return cmp.Compare(weights[b], weights[a]) })
	return best
}

// codingNamed is the place of a coding in squeezed; -1 if it is none of them.
func codingNamed(name string) int {
	if strings.EqualFold(name, "x-gzip") { // RFC 9110 §8.4.1.3
		name = "gzip"
	}
	return slices.IndexFunc(squeezed[:], func(s string) bool { return strings.EqualFold(s, name) })
}

// accepts reports whether a client names one coding.
func accepts(r *http.Request, coding string) bool {
	return slices.Contains(accepted(r.Header["Accept-Encoding"]), codingNamed(coding))
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
