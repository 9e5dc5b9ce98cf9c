package bounce_test

import (
	"os"
	"strings"
	"testing"

	"tidings/internal/bounce"
)

// TestClassify reads testdata/diagnostics.txt: a class, a status code and what
// a server said.
func TestClassify(t *testing.T) {
	text, err := os.ReadFile("testdata/diagnostics.txt")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[bounce.Class]int{}
	for n, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		cells := strings.SplitN(line, "|", 3)
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		seen[bounce.Class(cells[0])]++
		if got := bounce.Classify(cells[1], cells[2]); string(got) != cells[0] {
			t.Errorf("diagnostics.txt:%d: %s: %s: %s, want %s", n+1, cells[1], cells[2], got, cells[0])
		}
	}
	for _, c := range []bounce.Class{bounce.Hard, bounce.Soft, bounce.Block, bounce.Content, bounce.Relay} {
		if seen[c] == 0 {
			t.Errorf("no example of %s", c)
		}
	}
}

// TestNoPolicyIsHard holds the promise: no code of the kind x.7.x, and no
// temporary one, is ever read as a recipient that does not exist.
func TestNoPolicyIsHard(t *testing.T) {
	for _, words := range []string{"", "user unknown", "550 5.1.1 no such user", "mailbox full", "(#5.1.1)"} {
		for _, code := range []string{"5.7.0", "5.7.1", "5.7.25", "5.7.26", "5.7.515", "5.7.999", "4.1.1", "4.7.1"} {
			for _, d := range []string{words, code + " " + words, words + " (" + code + ")"} {
				if got := bounce.Classify(code, d); got == bounce.Hard {
					t.Errorf("%s %q is %s", code, d, got)
				}
				if got := bounce.Classify("5.1.1", code+" "+words); got == bounce.Hard {
					t.Errorf("5.1.1 %q is %s", code+" "+words, got)
				}
			}
		}
	}
}

// TestAPolicyIsFoundAnywhere holds that no other code beside it, and no place,
// hides a code of the kind x.7.x.
func TestAPolicyIsFoundAnywhere(t *testing.T) {
	for _, code := range []string{"5.7.1", "4.7.28", "5.7.515", "571"} {
		for _, d := range []string{
			"550 5.1.1 " + code + " no such user", "550 5.1.1," + code, "550 5.1.1/" + code + "/5.1.1", "#" + code + "#5.1.1",
			strings.Repeat("550-5.1.1 no such user ", 500) + code, strings.Repeat("x", 60_000) + " (" + code + ")",
		} {
			if got := bounce.Classify("5.1.1", d); got == bounce.Hard {
				t.Errorf("%.80q with %s is %s", d, code, got)
			}
		}
	}
	if got := bounce.Classify("5.1.1", "550 5.1.1 <571@example.com> no such user"); got != bounce.Hard {
		t.Errorf("a number in an address: %s", got)
	}
}

func TestCodesAreNotAddresses(t *testing.T) {
	for _, words := range []string{"from 5.1.1.9 we take none", "version 15.1.1", "12.5.1.1"} {
		if got := bounce.Classify("", words); got != bounce.Soft {
			t.Errorf("%q is %s", words, got)
		}
	}
}
