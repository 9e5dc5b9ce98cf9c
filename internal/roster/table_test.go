package roster_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"tidings/internal/roster"
)

// TestText reads one list in the forms that spreadsheets save.
func TestText(t *testing.T) {
	const text = "email,name\nada@example.com,Ada Löwe\nbo@example.com,\"Bo \"\"B\"\", né Ö\"\n"
	encoded := func(e interface{ String(string) (string, error) }, s string) []byte {
		out, err := e.String(s)
		if err != nil {
			t.Fatal(err)
		}
		return []byte(out)
	}
	want, _ := readAll(t, []byte(text), "", roster.Auto)
	if len(want) != 2 || !strings.Contains(want[1], `Bo \"B\", né Ö`) {
		t.Fatal(want)
	}
	for name, content := range map[string][]byte{
		"byte order mark": []byte("\ufeff" + text),
		"CRLF":            []byte(strings.ReplaceAll(text, "\n", "\r\n")),
		"CR":              []byte(strings.ReplaceAll(text, "\n", "\r")),
		"semicolons":      []byte("email;name\nada@example.com;Ada Löwe\nbo@example.com;\"Bo \"\"B\"\", né Ö\"\n"),
		"tabs":            []byte("email\tname\nada@example.com\tAda Löwe\nbo@example.com\t\"Bo \"\"B\"\", né Ö\"\n"),
		"no end":          []byte(strings.TrimSuffix(text, "\n")),
		"capitals":        []byte(strings.Replace(text, "email,name", " EMail , NAME ", 1)),
		"Windows-1252":    encoded(charmap.Windows1252.NewEncoder(), text),
		"Latin-1":         encoded(charmap.ISO8859_1.NewEncoder(), text),
		"UTF-16LE":        encoded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder(), text),
		"UTF-16BE":        encoded(unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder(), text),
		"UTF-16LE bare":   encoded(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder(), text),
		"UTF-16BE bare":   encoded(unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder(), text),
	} {
		if got, _ := readAll(t, content, "", roster.Auto); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	if got, _ := readAll(t, []byte("sep=;\nemail;name\nada@example.com;Ada\n"), "", roster.Auto); len(got) != 1 || !strings.HasPrefix(got[0], "line 3: ") {
		t.Errorf("with a line that tells the separator: %q", got)
	}
	if got, _ := readAll(t, []byte("email,name\nada@example.com,L\xf6we\nbo@example.com,Löwe\n"), "", roster.Auto); strings.Count(strings.Join(got, ""), "Löwe") != 2 {
		t.Errorf("two encodings in one file: %q", got)
	}
}

// TestBadLines finds every line that tells of nobody, and loses none after it.
func TestBadLines(t *testing.T) {
	for in, want := range map[string]string{
		"a@x.org,A,extra\n":            "line 2: it has 3 columns, the first line names 2",
		"a@x.org\n":                    "line 2: it has 1 column, the first line names 2",
		"a@x.org,\"A\n":                "line 2: a quotation mark is opened and not closed",
		"\"a\"@x.org,A\n":              `line 2: extraneous or missing " in quoted-field`,
		"a@x.org,5\" disk\n":           `line 2: bare " in non-quoted-field`,
		"a@x.org,\x00\n":               "line 2: there are zero bytes in it; the file is damaged, or no text",
		"a@x.org,\x81\n":               "line 2: \"\\x81\" is neither UTF-8 nor Windows-1252; convert the file to UTF-8 first",
		"a@x.org,\"two\nlines\"\"\n\n": "line 2: a quotation mark is opened and not closed\nline 3: bare \" in non-quoted-field",
		"a@x.org,\"one\"\"\nb,\"c\n":   "line 2: extraneous or missing \" in quoted-field\nline 3: a quotation mark is opened and not closed",
		"a@x.org," + strings.Repeat("x", 300000) + "\n": "line 2: it is longer than 256 KB",
		"\"" + strings.Repeat("x\n", 140000):            "",
	} {
		lines, _ := readAll(t, []byte("email,name\n"+in+"last@x.org,Last\n"), "", roster.Auto)
		got := strings.Join(lines[:len(lines)-1], "\n")
		if want != "" && got != want {
			t.Errorf("%.40q:\n%s\nwant\n%s", in, got, want)
		}
		if last := lines[len(lines)-1]; !strings.Contains(last, "last@x.org") || !strings.Contains(last, fmt.Sprintf("line %d:", strings.Count(in, "\n")+2)) {
			t.Errorf("%.40q: the last line is %.80q", in, last)
		}
	}
}

// FuzzRead looks for panics, and for lines that nobody hears of.
func FuzzRead(f *testing.F) {
	f.Add([]byte("email,name\na@example.org,A\n\"b\nc\",d\n"))
	f.Add([]byte("\ufeffemail;status\n\"x\";active\n"))
	f.Add([]byte("email\n\xff\xfe\n"))
	f.Add([]byte("email;status\nx\";acti")) // a last line that is wrong and has no end
	f.Add([]byte("\xff\xfee\x00m\x00a\x00i\x00l\x00\n\x00"))
	f.Add([]byte("uuid,email,attributes,status\n,\"\"\",,\n"))
	f.Add([]byte("a@example.org\nb@example.org\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := roster.Open(bytes.NewReader(in), int64(len(in)), "cleaned_x.csv", roster.Auto)
		if err != nil {
			return
		}
		for last := 0; ; {
			rec, err := r.Next()
			line := rec.Line
			if bad, ok := err.(*roster.Problem); ok {
				line, err = bad.Line, nil
			}
			if err != nil {
				return
			}
			if line < last || line < 1 {
				t.Fatalf("line %d after line %d", line, last)
			}
			last = line
			if !utf8.ValidString(rec.Email + rec.Name + rec.Note) {
				t.Fatalf("not UTF-8: %+v", rec)
			}
		}
	})
}

// FuzzRows holds the framing of rows against encoding/csv, on files in which that
// finds nothing wrong.
func FuzzRows(f *testing.F) {
	f.Add("a,b\n\"c\nd\", e\n")
	f.Add("\"a\"\"\",b\r\n")
	f.Fuzz(func(t *testing.T, in string) {
		whole := csv.NewReader(strings.NewReader(in))
		whole.TrimLeadingSpace = true
		whole.FieldsPerRecord = 2
		want, err := whole.ReadAll()
		if err != nil || strings.ContainsAny(in, "\x00;\t\r") || !utf8.ValidString(in) {
			return
		}
		content := "email,name\n" + in
		r, err := roster.Open(strings.NewReader(content), int64(len(content)), "", roster.CSV)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range want {
			if strings.TrimSpace(strings.Join(row, "")) == "" {
				return // blank lines may differ
			}
			rec, err := r.Next()
			if err != nil || rec.Email != strings.TrimSpace(row[0]) || rec.Name != strings.TrimSpace(row[1]) {
				t.Fatalf("%q: %+v, %v; want %q", in, rec, err, row)
			}
		}
	})
}

// TestSeparator tells what parts the cells, whatever stands in quotation marks.
func TestSeparator(t *testing.T) {
	for in, want := range map[string]string{
		"email;\"Name, first, last\"\nada@example.com;Ada\n":             "ada@example.com",
		"\"a,b,c\";email\nx;ada@example.com\n":                           "ada@example.com",
		"\"Note;\nof; more\",email\nx,ada@example.com\n":                 "ada@example.com",
		"email;name, full\nada@example.com;Ada\n":                        "ada@example.com",
		"No.\tE-Mail\tRemark, or; two; or three\n1\tada@example.com\t\n": "ada@example.com",
		"\n\nsep=;\nemail;name\nada@example.com;Ada, B\n":                "ada@example.com",
	} {
		if got, _ := readAll(t, []byte(in), "", roster.CSV); len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%q: %q", in, got)
		}
	}
}

// openQuotations are lines each of which closes the quotation of the line before
// and opens another.
func openQuotations(size int) []byte {
	const row = "x\",\"y\n"
	return []byte("email,name\n" + strings.Repeat(row, size/len(row)) + "ada@example.com,Ada\n")
}

// TestManyOpenQuotations reads each of many wrong lines, however far the
// quotation goes that it opens.
func TestManyOpenQuotations(t *testing.T) {
	lines, _ := readAll(t, openQuotations(4<<20), "", roster.CSV)
	if want := (4<<20)/6 + 1; len(lines) != want || !strings.Contains(lines[len(lines)-1], "ada@example.com") {
		t.Errorf("%d lines, want %d; the last is %s", len(lines), want, lines[len(lines)-1])
	}
}

// BenchmarkRead reads lists of 16 MB: as they should be, and with lines that open
// quotations and do not close them.
func BenchmarkRead(b *testing.B) {
	const size = 16 << 20
	row := "ada.lovelace@example.com,\"Lovelace, Ada\"\n"
	for name, text := range map[string][]byte{
		"good":            []byte("email,name\n" + strings.Repeat(row, size/len(row))),
		"open quotations": openQuotations(size),
		"never closed":    []byte("email,name\n" + strings.Repeat("a@example.com,\"x\"\"\nb@example.com,\n", size/34)),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				r, err := roster.Open(bytes.NewReader(text), int64(len(text)), "", roster.CSV)
				if err != nil {
					b.Fatal(err)
				}
				for err == nil || errors.As(err, new(*roster.Problem)) {
					_, err = r.Next()
				}
			}
		})
	}
}
