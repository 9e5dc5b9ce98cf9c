//go:build unix

package publish_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"tidings/internal/publish"
)

// manyFeeds is a set as ten thousand posts with 520 terms have it; with
// edited, some feeds are not as they were.
func manyFeeds(edited int) *publish.Set {
	var docs []*publish.Document
	for i := range 521 {
		for _, name := range []string{"feed.xml", "atom.xml", "feed.json"} {
			text := fmt.Sprintf("<item>%s %d</item>\n", name, i)
			if i < edited {
				text = "edited" + text
			}
			docs = append(docs, publish.NewDocument("/tags/"+strconv.Itoa(i)+"/"+name, "", bytes.Repeat([]byte(text), 2000)))
		}
	}
	return publish.NewSet(docs...)
}

// processor is the processor time of this process, in the kernel too.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkWrite(b *testing.B) {
	whole, edited := manyFeeds(0), manyFeeds(5)
	measure := func(b *testing.B, prepare func(i int), work func(i int)) {
		var spent time.Duration
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			prepare(i)
			before := processor()
			b.StartTimer()
			work(i)
			spent += processor() - before
		}
		b.ReportMetric(float64(spent.Milliseconds())/float64(b.N), "cpu-ms/op")
	}
	put := func(dir string, set *publish.Set) {
		if _, err := writeTo(b, dir, set, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("cold", func(b *testing.B) {
		root := b.TempDir()
		measure(b, func(int) {}, func(i int) { put(filepath.Join(root, strconv.Itoa(i)), whole) })
	})
	b.Run("unchanged", func(b *testing.B) {
		dir := b.TempDir()
		put(dir, whole)
		measure(b, func(int) {}, func(int) { put(dir, whole) })
	})
	b.Run("five feeds of 521 by one writer", func(b *testing.B) {
		w, err := publish.NewWriter(b.TempDir(), nil)
		if err == nil {
			_, err = w.Write(b.Context(), whole)
		}
		measure(b, func(int) {}, func(i int) {
			if _, err = w.Write(b.Context(), []*publish.Set{edited, whole}[i%2]); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("five feeds of 521", func(b *testing.B) {
		dir := b.TempDir()
		put(dir, whole)
		measure(b, func(int) {}, func(i int) { put(dir, []*publish.Set{edited, whole}[i%2]) })
	})
}
