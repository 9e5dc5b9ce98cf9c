package web_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkServe compares this handler with a bare one that writes the same
// prepared bytes and headers. Both are asked over real connections, by a client
// that does next to nothing but read and write.
func BenchmarkServe(b *testing.B) {
	s := newSite(b, quietly)
	tag := s.set.Lookup("/feed.xml").ETag()
	for _, c := range []struct{ name, header string }{
		{"200", ""},
		{"200 gzip", "Accept-Encoding: gzip, deflate\r\n"},
		{"304", "If-None-Match: " + tag + "\r\nAccept-Encoding: gzip, deflate\r\n"},
	} {
		ask := "GET /feed.xml HTTP/1.1\r\nHost: localhost\r\n" + c.header + "\r\n"
		for _, h := range []struct {
			name    string
			handler http.Handler
		}{{"bare", bareCopy(b, s, ask)}, {"tidings", s}} {
			b.Run(fmt.Sprintf("%s/%s", c.name, h.name), func(b *testing.B) { benchmarkServer(b, h.handler, ask) })
		}
	}
}

// bareCopy gives a handler that writes what s answers, and nothing else.
func bareCopy(b *testing.B, s *site, ask string) http.Handler {
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(ask)))
	if err != nil {
		b.Fatal(err)
	}
	like := s.do(r)
	header, body := like.Header(), like.Body.Bytes()
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), header)
		w.WriteHeader(like.Code)
		w.Write(body)
	})
}

// benchmarkServer asks over a few connections that stay open. All answers are
// of the same length.
func benchmarkServer(b *testing.B, h http.Handler, ask string) {
	srv := httptest.NewServer(h)
	defer srv.Close()
	b.ReportAllocs()
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		answer := make([]byte, lengthOf(b, conn, ask))
		for pb.Next() {
			if _, err := io.WriteString(conn, ask); err != nil {
				b.Error(err)
				return
			}
			if _, err := io.ReadFull(conn, answer); err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 ")) {
				b.Errorf("%v, answer %.40q", err, answer)
				return
			}
		}
	})
}

// lengthOf asks once, and gives the length of the whole answer.
func lengthOf(b *testing.B, conn net.Conn, ask string) int {
	if _, err := io.WriteString(conn, ask); err != nil {
		b.Error(err)
		return 0
	}
	var all bytes.Buffer
	in := bufio.NewReaderSize(io.TeeReader(conn, &all), 16)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		b.Error(err)
		return 0
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		b.Error(err)
	}
	return all.Len()
}
