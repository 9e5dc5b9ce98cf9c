package relaytest

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// A session is one connection.
type session struct {
	server *Server
	number int
	tcp    *net.TCPConn // below conn
	conn   net.Conn     // with TLS, if that is on
	r      *bufio.Reader
	w      *bufio.Writer
	helo   string
	tls    bool
	user   string

	mail bool // a transaction is open
	from string
	to   []string
	last string // recipient last named, for rules
	body []byte // of the last message, reused; empty if none is kept
	size int    // of the last message
}

func newSession(s *Server, conn *net.TCPConn, number int) *session {
	x := &session{server: s, number: number, tcp: conn}
	x.use(conn)
	return x
}

func (x *session) use(conn net.Conn) {
	x.conn, x.r, x.w = conn, bufio.NewReaderSize(conn, readAhead), bufio.NewWriter(conn)
}

// readAhead is read at once if it is there: a mail with what surrounds it.
const readAhead = 128 << 10

func (x *session) serve() {
	if x.server.opts.ImplicitTLS && !x.encrypt() {
		return
	}
	if _, alive := x.answer(Connect, "220 relaytest ESMTP"); !alive {
		return
	}
	for {
		line, err := x.readLine()
		if err != nil {
			return
		}
		if !x.obey(line) {
			return
		}
	}
}

// refuse turns a connection away that is one too many.
func (x *session) refuse() {
	if x.write("421 4.7.0 too many connections", 0) && x.w.Flush() == nil {
		x.linger()
	}
}

// readLine sends what is waiting before it blocks, as pipelining wants.
func (x *session) readLine() (string, error) {
	if x.server.opts.DropEarly {
		_, _ = x.r.Discard(x.r.Buffered()) // so much is there
	}
	if x.r.Buffered() == 0 && x.w.Flush() != nil {
		return "", io.ErrClosedPipe
	}
	line, err := x.r.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}

// obey runs one command. It reports whether the session goes on.
func (x *session) obey(line string) bool {
	verb, argument, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	x.note(verb)
	switch verb {
	case "EHLO", "HELO":
		x.mail, x.helo = false, argument
		return x.say(EHLO, x.extensions(verb))
	case "STARTTLS":
		return x.startTLS()
	case "AUTH":
		return x.authenticate(argument)
	case "MAIL":
		return x.mailFrom(argument)
	case "RCPT":
		return x.rcptTo(argument)
	case "DATA":
		return x.data()
	case "RSET":
		x.mail, x.last = false, ""
		return x.say(Reset, "250 2.0.0 reset")
	case "NOOP":
		return x.say(Noop, "250 2.0.0 ok")
	case "QUIT":
		if x.say(Quit, "221 2.0.0 bye") {
			x.w.Flush()
		}
		return false
	}
	return x.say(verb, "500 5.5.2 unknown command")
}

func (x *session) note(verb string) {
	if x.server.opts.Discard {
		return
	}
	x.server.mu.Lock()
	x.server.commands = append(x.server.commands, fmt.Sprint(x.number, " ", verb))
	x.server.mu.Unlock()
}

func (x *session) say(at, usual string) bool {
	_, alive := x.answer(at, usual)
	return alive
}

func (x *session) match(at string) (Rule, bool) {
	return x.server.script.Load().match(at, x.last, x.number)
}

// answer gives the reply that a rule wants at this point, or the usual one.
func (x *session) answer(at, usual string) (code int, alive bool) {
	if r, ok := x.match(at); ok {
		return x.act(r, usual)
	}
	return codeOf(usual), x.write(usual, 0)
}

// act does what a rule says.
func (x *session) act(r Rule, usual string) (code int, alive bool) {
	if r.Delay > 0 && (x.w.Flush() != nil || !x.sleep(r.Delay)) {
		return 0, false
	}
	reply := r.reply(usual)
	if reply != "" && !x.write(reply, r.Drip) || r.Raw != "" && !x.send(r.Raw, r.Drip) {
		return 0, false
	}
	if r.silent() {
		x.end(r)
		return 0, false
	}
	return codeOf(cmp.Or(reply, r.Raw)), true
}

// end stops the dialogue in the way of a rule, with what was said sent. The
// connection itself is closed when the session is over.
func (x *session) end(r Rule) {
	if x.w.Flush() != nil {
		return
	}
	switch {
	case r.Hang:
		io.Copy(io.Discard, x.conn)
	case r.RST:
		x.tcp.SetLinger(0)
	case r.At != Body:
		x.linger()
	}
}

// linger lets the client read what was said before the connection is gone:
// closing a socket with unread bytes in it would break it.
func (x *session) linger() {
	if x.tcp.CloseWrite() == nil && x.tcp.SetReadDeadline(time.Now().Add(lingerFor)) == nil {
		io.Copy(io.Discard, x.tcp)
	}
}

const lingerFor = time.Second

// sleep waits, unless the server is closed meanwhile.
func (x *session) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-x.server.done:
		return false
	}
}

// write puts a reply into the buffer, or sends it byte by byte.
func (x *session) write(reply string, drip time.Duration) bool {
	if drip == 0 && !strings.Contains(reply, "\n") {
		x.w.WriteString(reply)
		_, err := x.w.WriteString("\r\n")
		return err == nil
	}
	lines := strings.Split(reply, "\n")
	for i, line := range lines {
		if i < len(lines)-1 && len(line) > 3 {
			line = line[:3] + "-" + line[4:]
		}
		lines[i] = line + "\r\n"
	}
	return x.send(strings.Join(lines, ""), drip)
}

// send puts text into the buffer, or sends it byte by byte.
func (x *session) send(text string, drip time.Duration) bool {
	if drip == 0 {
		_, err := x.w.WriteString(text)
		return err == nil
	}
	for i := range len(text) {
		if x.w.WriteByte(text[i]) != nil || x.w.Flush() != nil || !x.sleep(drip) {
			return false
		}
	}
	return true
}

func codeOf(reply string) int {
	if len(reply) < 3 {
		return 0
	}
	code, _ := strconv.Atoi(reply[:3]) // 0 for a reply that is none
	return code
}
