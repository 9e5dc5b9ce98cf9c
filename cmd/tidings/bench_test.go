package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// generated writes n posts of about two hundred words, in twenty categories
// and with up to four of five hundred tags each, some of which are much more
// used than others.
func generated(b *blog, n int) {
	b.t.Helper()
	r := rand.New(rand.NewPCG(7, uint64(n)))
	zipf := rand.NewZipf(r, 1.2, 4, 499)
	words := strings.Fields("feed reader server queue message post store index commit retry circuit breaker cache lock latency build " +
		"pipeline cloud region failover replica partition quorum consensus logging trace metric alert deploy rollback")
	paragraph := func(n int) string {
		var text strings.Builder
		for range n {
			text.WriteString(words[r.IntN(len(words))] + " ")
		}
		return strings.TrimSpace(text.String()) + "."
	}
	start := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for i := range n {
		tags := map[uint64]bool{}
		for range 4 {
			tags[zipf.Uint64()] = true
		}
		var names []string
		for tag := range tags {
			names = append(names, fmt.Sprintf("tag-%03d", tag))
		}
		slices.Sort(names)
		b.write(postFile(i), fmt.Sprintf("---\ntitle: \"Post %d: %s\"\ndate: %s\ncategories: [category-%02d]\ntags: [%s]\nsummary: \"%s\"\n---\n\n%s\n\n## A heading\n\n%s [a link](/about) and `code`.\n\n- %s\n- %s\n",
			i, paragraph(5), start.Add(-97*time.Minute*time.Duration(i)).Format(time.RFC3339), r.IntN(20), strings.Join(names, ", "), paragraph(22),
			paragraph(60), paragraph(60), paragraph(30), paragraph(30)))
	}
}

func postFile(i int) string { return filepath.Join("posts", fmt.Sprintf("post-%06d.md", i)) }

// Sizes of the generated blog. The largest takes minutes to write: ask for it
// by name, -bench /100000.
var sizes = []int{1_000, 10_000, 100_000}

// BenchmarkBuild is a first build as a whole process: CPU time of the user and
// the system, and the most memory it had.
func BenchmarkBuild(b *testing.B) {
	for name, feeds := range map[string]string{"rss-summary": "{formats: [rss], content: summary}", "all-full": "{}"} {
		for _, n := range sizes {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				site := newBlog(b, "site: {url: 'https://bench.example'}\nposts: {dir: posts}\nfeeds: "+feeds+"\n", nil)
				generated(site, n)
				var cpu time.Duration
				var memory int64
				for b.Loop() {
					b.StopTimer()
					for _, made := range []string{"data", "public"} {
						if err := os.RemoveAll(filepath.Join(site.dir, made)); err != nil {
							b.Fatal(err)
						}
					}
					cmd := site.command("build")
					b.StartTimer()
					if err := cmd.Run(); err != nil {
						b.Fatal(err)
					}
					state := cmd.ProcessState
					cpu += state.UserTime() + state.SystemTime()
					if used, ok := state.SysUsage().(*syscall.Rusage); ok {
						memory = max(memory, used.Maxrss)
					}
				}
				b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s/op")
				b.ReportMetric(float64(memory)/1024, "MB")
			})
		}
	}
}

const benchConfig = "site: {url: 'http://localhost:%[1]d'}\nposts: {dir: posts}\nhttp: {listen: '127.0.0.1:%[1]d'}\n"

// builtBlog is a daemon that does not run yet, for n posts that are built.
func builtBlog(b *testing.B, n int) *running {
	port := freePort(b)
	d := &running{
		blog: newBlog(b, fmt.Sprintf(benchConfig, port), nil),
		base: fmt.Sprintf("http://localhost:%d", port), logs: &syncBuffer{},
	}
	generated(d.blog, n)
	d.must("build")
	return d
}

// BenchmarkEditedPost is the time from the end of writing a file to the first
// new bytes of the feed over HTTP, posts.debounce (100 ms) included.
func BenchmarkEditedPost(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d := builtBlog(b, n)
			d.start()
			time.Sleep(3 * time.Second) // what a start leaves to be done
			text, err := os.ReadFile(filepath.Join(d.dir, postFile(0)))
			if err != nil {
				b.Fatal(err)
			}
			var took []time.Duration
			for i := 0; b.Loop(); i++ {
				old := d.tag("/feed.xml")
				d.write(postFile(0), strings.Replace(string(text), "Post 0", fmt.Sprint("Edit ", i), 1))
				began := time.Now()
				for d.tag("/feed.xml") == old {
					time.Sleep(time.Millisecond)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "median-ms")
		})
	}
}

func (d *running) tag(path string) string {
	res, err := http.Head(d.base + path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	io.Copy(io.Discard, res.Body)
	return res.Header.Get("ETag")
}

// BenchmarkWarmStart is the time from the start of a daemon that knows the
// posts already until it is ready.
func BenchmarkWarmStart(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d := builtBlog(b, n)
			for b.Loop() {
				cmd := d.command("serve")
				var log bytes.Buffer
				cmd.Stderr = &log
				if err := cmd.Start(); err != nil {
					b.Fatal(err)
				}
				for ready := false; !ready; time.Sleep(2 * time.Millisecond) {
					res, err := http.Get(d.base + "/readyz")
					if err == nil {
						ready = res.StatusCode == http.StatusOK
						res.Body.Close()
					}
				}
				b.StopTimer()
				cmd.Process.Signal(syscall.SIGTERM)
				if err := cmd.Wait(); err != nil {
					b.Fatalf("%v\n%s", err, log.String())
				}
				b.StartTimer()
			}
		})
	}
}
