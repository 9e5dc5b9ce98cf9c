package relaytest_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tidings/internal/relay/relaytest"
)

// BenchmarkDiscard is what the server itself takes: finished messages of 34 KB
// are written as fast as it reads them, the next transaction's commands behind
// each dot.
func BenchmarkDiscard(b *testing.B) {
	const commands = "MAIL FROM:<news@example.org>\r\nRCPT TO:<ann@example.com>\r\nDATA\r\n"
	body := strings.Repeat(strings.Repeat("x", 70)+"=20.\r\n", 34_000/76)
	mail := []byte("Message-ID: <1@example.org>\r\n\r\n" + body + ".\r\n" + commands)
	for _, n := range []int{1, 8} {
		b.Run(fmt.Sprintf("conns=%d", n), func(b *testing.B) {
			s := relaytest.Start(b, relaytest.Options{Discard: true})
			var round atomic.Int64
			b.SetBytes(int64(len(mail)))
			var wg sync.WaitGroup
			for range n {
				wg.Go(func() {
					conn, err := net.Dial("tcp", s.Addr())
					if err != nil {
						b.Error(err)
						return
					}
					defer conn.Close()
					r := bufio.NewReader(conn)
					fmt.Fprint(conn, commands)
					for range 4 { // the greeting too
						skipLine(b, r)
					}
					for round.Add(1) <= int64(b.N) {
						if _, err := conn.Write(mail); err != nil {
							b.Error(err)
							return
						}
						for range 4 {
							skipLine(b, r)
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
		})
	}
}

func skipLine(b *testing.B, r *bufio.Reader) {
	if line, err := r.ReadSlice('\n'); err != nil || !bytes.ContainsAny(line[:1], "23") {
		b.Errorf("%q, %v", line, err)
	}
}
