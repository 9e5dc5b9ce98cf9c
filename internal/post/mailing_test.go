package post

import (
	"strings"
	"testing"
)

func TestMinutes(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"nothing":            {"", 0},
		"marks alone":        {"--- ***\n", 0},
		"one word":           {"Hello", 1},
		"as many as read":    {strings.Repeat("word ", wordsAMinute), 1},
		"one more":           {strings.Repeat("word ", wordsAMinute+1), 2},
		"words with marks":   {strings.Repeat("don't co-operate e.g. ", wordsAMinute/3), 1},
		"accents":            {strings.Repeat("naïve été ", wordsAMinute/2), 1},
		"Arabic":             {strings.Repeat("كلمة ", wordsAMinute), 1},
		"Japanese":           {strings.Repeat("読む", charactersAMinute/2), 1},
		"Japanese, one more": {strings.Repeat("読む", charactersAMinute/2) + "め", 2},
		"both":               {strings.Repeat("word ", wordsAMinute/2) + strings.Repeat("読", charactersAMinute/2), 1},
	} {
		if got := minutes(c.body); got != c.want {
			t.Errorf("%s: %d minutes, want %d", name, got, c.want)
		}
	}
}

func BenchmarkMinutes(b *testing.B) {
	body := strings.Repeat("Every word of a long post counts, and none is kept. ", 80)
	for b.Loop() {
		minutes(body)
	}
	b.SetBytes(int64(len(body)))
}
