package roster_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/roster"
)

var update = flag.Bool("update", false, "write the expected output anew")

// readAll gives what a file holds, each line as JSON or as what is wrong with it.
func readAll(t testing.TB, content []byte, name string, format roster.Format) (lines []string, found roster.Format) {
	t.Helper()
	r, err := roster.Open(bytes.NewReader(content), int64(len(content)), name, format)
	if err != nil {
		t.Fatal(err)
	}
	found = r.Format()
	for {
		rec, err := r.Next()
		var bad *roster.Problem
		switch {
		case errors.Is(err, io.EOF):
			if done, of := r.Progress(); done != of {
				t.Errorf("at the end %d of %d bytes are read", done, of)
			}
			return lines, found
		case errors.As(err, &bad):
			lines = append(lines, bad.Error())
		case err != nil:
			t.Fatal(err)
		default:
			lines = append(lines, rec.Place.String()+": "+told(rec))
		}
	}
}

// told is a record as JSON, without what is empty.
func told(rec roster.Record) string {
	rec.Place = roster.Place{}
	all, _ := json.Marshal(rec)
	fields := map[string]any{}
	_ = json.Unmarshal(all, &fields)
	for k, v := range fields {
		if v == "" || v == nil || k == "File" || k == "Line" || v == time.Time.Format(time.Time{}, time.RFC3339) {
			delete(fields, k)
		}
	}
	text, _ := json.Marshal(fields)
	return string(text)
}

// TestFiles reads a file of each product.
func TestFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/files/*.csv")
	if err != nil || len(files) < 9 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			lines, format := readAll(t, content, file, roster.Auto)
			golden(t, strings.TrimSuffix(file, ".csv")+".txt", string(format)+"\n"+strings.Join(lines, "\n")+"\n")
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// archive packs files of testdata, and others given with their content.
func archive(t *testing.T, names []string, others map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, content []byte) {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range names {
		content, err := os.ReadFile(filepath.Join("testdata/files", n))
		if err != nil {
			t.Fatal(err)
		}
		add(n, content)
	}
	for n, content := range others {
		add(n, []byte(content))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArchives(t *testing.T) {
	audience := archive(t, []string{"subscribed_email_audience_export_7c1e2a.csv", "unsubscribed_email_audience_export_7c1e2a.csv",
		"cleaned_email_audience_export_7c1e2a.csv", "nonsubscribed_email_audience_export_7c1e2a.csv"}, nil)
	lines, format := readAll(t, audience, "audience_export_7c1e2a.zip", roster.Auto)
	golden(t, "testdata/mailchimp.txt", string(format)+"\n"+strings.Join(lines, "\n")+"\n")

	account := archive(t, []string{"email_list.fieldnotes.csv"}, map[string]string{
		"posts.csv": "post_id,post_date\n1,2024-01-01\n", "posts/1.delivers.csv": "post_id,timestamp,email\n1,2024,x@example.com\n", "posts/1.html": "<p>"})
	lines, format = readAll(t, account, "export.zip", roster.Auto)
	if format != roster.Substack || len(lines) != 3 {
		t.Errorf("%s: %q", format, lines)
	}

	for what, content := range map[string][]byte{
		"no CSV file":           archive(t, nil, map[string]string{"readme.txt": "x"}),
		"there is no column":    archive(t, nil, map[string]string{"a.csv": "name,age\nx,1\n"}),
		"archive":               []byte("PK\x03\x04 but no more"),
		"the file is empty":     nil,
		"there is no column em": []byte("name,age\nAnn,3\n"),
		"bare addresses":        []byte("name\nAnn\n"),
		"the first line":        []byte("\"email\nAnn\n"),
	} {
		if _, err := roster.Open(bytes.NewReader(content), int64(len(content)), "x.csv", roster.Auto); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("want an error with %q, got %v", what, err)
		}
	}
	if _, err := roster.Open(strings.NewReader("email\n"), 6, "x.csv", roster.Buttondown); err == nil || !strings.Contains(err.Error(), "subscriber_type") {
		t.Errorf("a format that the file is not in: %v", err)
	}
}
