package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	gomail "github.com/wneessen/go-mail"

	"tidings/internal/mail"
	"tidings/internal/relay/relaytest"
)

// The edition of the benchmarks: twenty posts, which make a mail of some 34 KB
// as it is sent, to people on eight connections.
const (
	benchPeople      = 60_000
	benchConnections = 8
)

// A mailing is a blog whose edition is planned and waits to be sent.
type mailing struct {
	*blog
	eml string // a mail of it
}

func newMailing(b *testing.B, port int, dkim string) *mailing {
	b.Helper()
	posts := map[string]string{}
	words := strings.Fields("the feed reader follows every release and notes what changed in the scheduler, its caches and their café since the last one")
	for i := range 20 {
		var summary []string
		for w := range 70 {
			summary = append(summary, words[(w*7+i)%len(words)])
		}
		posts[fmt.Sprintf("%d.md", i)] = fmt.Sprintf("---\ntitle: Post number %d\ndate: 2026-01-%02d\ncategories: [News]\ntags: [a, b]\nsummary: %q\n---\nText.\n",
			i, i+1, strings.Join(summary, " "))
	}
	m := &mailing{blog: newBlog(b, fmt.Sprintf(`
posts: {dir: posts, settle: 0s}
newsletters: {weekly: {}}
mail:
  transport: smtp
  smtp: {host: 127.0.0.1, port: %d, tls: none, connections: %d}
%s`, port, benchConnections, dkim), posts)}
	m.subscribe(benchPeople)
	m.eml = m.must("preview", "weekly", "--since", "2026-01-01", "--format", "eml")
	m.must("send", "weekly", "--since", "2026-01-01", "--detach", "--yes")
	if err := os.CopyFS(filepath.Join(m.dir, "planned"), os.DirFS(filepath.Join(m.dir, "data"))); err != nil {
		b.Fatal(err)
	}
	return m
}

// send sends the whole edition anew, as a process of its own.
func (m *mailing) send() spent {
	m.t.Helper()
	data := filepath.Join(m.dir, "data")
	if err := os.RemoveAll(data); err != nil {
		m.t.Fatal(err)
	}
	if err := os.CopyFS(data, os.DirFS(filepath.Join(m.dir, "planned"))); err != nil {
		m.t.Fatal(err)
	}
	return measure(m.t, benchPeople, m.command("send", "weekly", "--yes"))
}

// spent is what sending cost.
type spent struct {
	rate   float64       // mails a second
	cpu    time.Duration // a mail
	memory float64       // MB at most
}

func measure(t testing.TB, mails int, cmd *exec.Cmd) spent {
	t.Helper()
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	state := cmd.ProcessState
	s := spent{
		rate: float64(mails) / time.Since(began).Seconds(),
		cpu:  (state.UserTime() + state.SystemTime()) / time.Duration(mails),
	}
	if used, ok := state.SysUsage().(*syscall.Rusage); ok {
		s.memory = float64(used.Maxrss) / 1024
	}
	return s
}

// compare alternates a mailing with another way to send, and reports the
// median of each and of the ratios of their rates.
func compare(b *testing.B, m *mailing, name string, other func() spent) {
	var ours, theirs []spent
	var ratios []float64
	for b.Loop() {
		mine, its := m.send(), other()
		ours, theirs, ratios = append(ours, mine), append(theirs, its), append(ratios, mine.rate/its.rate)
	}
	report := func(name string, list []spent) {
		b.ReportMetric(median(list, func(s spent) float64 { return s.rate }), name+"/s")
		if list[0].cpu > 0 { // else it ran in the benchmark's own process
			b.ReportMetric(median(list, func(s spent) float64 { return float64(s.cpu.Microseconds()) }), name+"-µs/mail")
		}
	}
	report("tidings", ours)
	report(name, theirs)
	b.ReportMetric(median(ratios, func(r float64) float64 { return r }), "ratio")
	b.ReportMetric(median(ours, func(s spent) float64 { return s.memory }), "MB")
	b.ReportMetric(float64(len(m.eml))/1024, "KB/mail")
	b.ReportMetric(0, "ns/op")
}

func median[T any](list []T, value func(T) float64) float64 {
	var values []float64
	for _, v := range list {
		values = append(values, value(v))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// BenchmarkSendToSMTPSink sends an edition as a whole process, database and
// journal included, into Postfix's smtp-sink, in turns with Postfix's
// smtp-source, which composes and records nothing.
func BenchmarkSendToSMTPSink(b *testing.B) {
	source, err := exec.LookPath("smtp-source")
	if err != nil {
		b.Skip("smtp-source and smtp-sink of Postfix are not in PATH")
	}
	port := smtpSink(b)
	m := newMailing(b, port, "")
	compare(b, m, "smtp-source", func() spent {
		return measure(b, benchPeople, exec.Command(source, "-d", "-s", fmt.Sprint(benchConnections), "-m", fmt.Sprint(benchPeople),
			"-l", fmt.Sprint(len(m.eml)), "-f", "a@example.org", "-t", "b@example.com", fmt.Sprintf("127.0.0.1:%d", port)))
	})
}

// smtpSink runs Postfix's sink until the benchmark ends.
func smtpSink(b *testing.B) (port int) {
	b.Helper()
	port = freePort(b)
	args := []string{"-c", fmt.Sprintf("127.0.0.1:%d", port), "1000"}
	if os.Geteuid() == 0 {
		args = append([]string{"-u", "nobody"}, args...)
	}
	cmd := exec.Command("smtp-sink", args...)
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for range 200 {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			c.Close()
			return port
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.Fatal("smtp-sink does not listen")
	return 0
}

// BenchmarkSendToFastSink is the same into relaytest's server, in turns with
// go-mail's client as it comes: a mail built for each reader, sent over as
// many connections, which are kept.
func BenchmarkSendToFastSink(b *testing.B) {
	server := relaytest.Start(b, relaytest.Options{Discard: true})
	m := newMailing(b, server.Port(), "")
	content, err := mail.Read([]byte(m.eml))
	if err != nil {
		b.Fatal(err)
	}
	compare(b, m, "go-mail", func() spent { return viaGoMail(b, server.Port(), content, benchPeople/8) })
}

// viaGoMail sends n mails with the same text and HTML.
func viaGoMail(b *testing.B, port int, content mail.Content, n int) spent {
	began := time.Now()
	var wg sync.WaitGroup
	for range benchConnections {
		wg.Go(func() {
			if err := goMails(b, port, content, n/benchConnections); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	return spent{rate: float64(n) / time.Since(began).Seconds()}
}

func goMails(b *testing.B, port int, content mail.Content, n int) error {
	client, err := gomail.NewClient("127.0.0.1", gomail.WithPort(port), gomail.WithTLSPolicy(gomail.NoTLS))
	if err != nil {
		return err
	}
	conn, err := client.DialToSMTPClientWithContext(b.Context())
	if err != nil {
		return err
	}
	defer conn.Close()
	for i := range n {
		msg := gomail.NewMsg()
		if err := msg.From("News <news@example.org>"); err != nil {
			return err
		}
		if err := msg.To(fmt.Sprintf("reader%d@example.com", i)); err != nil {
			return err
		}
		msg.Subject("Twenty new posts")
		msg.SetBodyString(gomail.TypeTextPlain, content.Text)
		msg.AddAlternativeString(gomail.TypeTextHTML, content.HTML)
		if err := client.SendWithSMTPClient(conn, msg); err != nil {
			return err
		}
	}
	return nil
}
