package relaytest

import (
	"bufio"
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
	conn   net.Conn
	r      *bufio.Reader
	w      *bufio.Writer
	helo   string
	tls    bool
	user   string

	mail bool // a transaction is open
	from string
	to   []string
	last string // recipient last named, for rules
	body []byte // reused
}

func newSession(s *Server, conn net.Conn, number int) *session {
	x := &session{server: s, number: number}
	x.use(conn)
	return x
}

func (x *session) use(conn net.Conn) {
	x.conn, x.r, x.w = conn, bufio.NewReaderSize(conn, 64<<10), bufio.NewWriter(conn)
}

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

// readLine sends what is waiting before it blocks, as pipelining wants.
func (x *session) readLine() (string, error) {
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
		return x.say(verb, "250 2.0.0 ok")
	case "QUIT":
		x.say(Quit, "221 2.0.0 bye")
		x.w.Flush()
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

// answer gives the reply that a rule wants at this point, or the usual one.
func (x *session) answer(at, usual string) (code int, alive bool) {
	if r, ok := x.server.match(at, x.last); ok {
		return x.act(r, usual)
	}
	return codeOf(usual), x.write(usual, 0)
}

func (r Rule) silent() bool { return r.Hang || r.Close || r.RST }

// act does what a rule says.
func (x *session) act(r Rule, usual string) (code int, alive bool) {
	if r.Delay > 0 && (x.w.Flush() != nil || !x.sleep(r.Delay)) {
		return 0, false
	}
	reply := r.Reply
	if reply == "" && !r.silent() {
		reply = usual
	}
	if reply != "" && !x.write(reply, r.Drip) {
		return 0, false
	}
	if r.silent() && x.w.Flush() != nil {
		return 0, false
	}
	if tcp, ok := x.conn.(*net.TCPConn); ok && r.RST {
		tcp.SetLinger(0)
	}
	if r.Hang {
		io.Copy(io.Discard, x.r) // until the client gives up
	}
	return codeOf(reply), !r.silent()
}

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
	lines := strings.Split(reply, "\n")
	for i, line := range lines {
		if i < len(lines)-1 && len(line) > 3 {
			line = line[:3] + "-" + line[4:]
		}
		lines[i] = line + "\r\n"
	}
	text := strings.Join(lines, "")
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
