package bounce_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/bounce"
)

var update = flag.Bool("update", false, "write the expected reports anew")

// TestMessages reads testdata/messages: *.eml, and beside each what is to be
// understood of it.
func TestMessages(t *testing.T) {
	files, err := filepath.Glob("testdata/messages/*.eml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no messages: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".eml"), func(t *testing.T) {
			golden := strings.TrimSuffix(file, ".eml") + ".json"
			got := understood(t, file)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// understood gives a report as text, with the class of each failure. Line ends
// make no difference.
func understood(t *testing.T, file string) string {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, message := range []string{string(raw), strings.ReplaceAll(string(raw), "\n", "\r\n")} {
		r, err := bounce.Parse(strings.NewReader(message))
		if err != nil {
			t.Fatal(err)
		}
		var classes []string
		for _, x := range r.Recipients {
			classes = append(classes, fmt.Sprint(x.Class(), ", failed: ", x.GivenUp()))
		}
		text, err := json.MarshalIndent(struct {
			bounce.Report
			Classes []string
		}{r, classes}, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text)+"\n")
	}
	if diff := cmp.Diff(texts[0], texts[1]); diff != "" {
		t.Errorf("with CRLF it says something else:\n%s", diff)
	}
	return texts[0]
}
