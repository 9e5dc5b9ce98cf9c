package page

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/language"
)

// rightToLeft are the scripts (ISO 15924) written from right to left.
const rightToLeft = "Adlm Arab Hebr Mand Nkoo Rohg Syrc Thaa"

// Direction gives "rtl" or "ltr" for a BCP 47 language tag.
func Direction(tag string) string {
	script, _ := language.Make(tag).Script()
	if strings.Contains(rightToLeft, script.String()) {
		return "rtl"
	}
	return "ltr"
}

// dateIn gives the way to write a day: as English does, or in the order that
// is unmistakable in every other language.
func dateIn(tag string) func(time.Time) string {
	layout := time.DateOnly
	if base, _ := language.Make(tag).Base(); tag == "" || base.String() == "en" {
		layout = "Jan 2, 2006"
	}
	return func(t time.Time) string { return t.Format(layout) }
}

func clock(t time.Time) string { return t.Format("15:04:05") }

func rfc3339(t time.Time) string { return t.Format(time.RFC3339) }

// Size writes a number of bytes for people: "512 B", "31 KB".
func Size(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%d KB", (n+500)/1000)
}
