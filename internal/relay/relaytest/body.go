package relaytest

import (
	"bytes"
	"strings"
	"time"
)

// endOfMessage ends a message, whose beginning counts as that of a line (RFC
// 5321 §4.1.1.4).
var endOfMessage = []byte("\r\n.\r\n")

// dripBlock is read at a time where a rule makes reading slow.
const dripBlock = 1 << 10

// A message is read in blocks as they come. What is not to be kept is never
// copied.
type body struct {
	*session
	keep bool
	tail []byte // the last bytes read, for an end that is split between blocks
	size int
}

// readBody reads up to the final dot. It fails where the client or a rule ends
// the connection before.
func (x *session) readBody() bool {
	if x.w.Flush() != nil {
		return false
	}
	b := body{session: x, keep: x.server.keeps(), tail: append(make([]byte, 0, 2*len(endOfMessage)), "\r\n"...)}
	x.body = x.body[:0]
	spoil, spoilt := x.match(Body)
	if !spoilt {
		return b.read(0)
	}
	if spoil.After > 0 && !b.readSome(spoil.After) {
		return false
	}
	if b.ended() { // a rule for more than there is
		return b.finish()
	}
	if _, alive := x.act(spoil, ""); !alive {
		return false
	}
	return b.read(spoil.Drip)
}

// read reads the rest, slowly if pause is not 0.
func (b *body) read(pause time.Duration) bool {
	for !b.ended() {
		limit := 0
		if pause > 0 {
			limit = dripBlock
			if !b.sleep(pause) {
				return false
			}
		}
		if !b.block(limit) {
			return false
		}
	}
	return b.finish()
}

// readSome reads n bytes, or up to the end if that comes before.
func (b *body) readSome(n int) bool {
	for b.size < n && !b.ended() {
		if !b.block(n - b.size) {
			return false
		}
	}
	return true
}

func (b *body) ended() bool { return bytes.HasSuffix(b.tail, endOfMessage) }

// finish takes the end off what was kept.
func (b *body) finish() bool {
	b.size -= len(".\r\n")
	if b.keep {
		b.session.body = unstuff(b.session.body[:b.size])
		b.size = len(b.session.body)
	}
	b.session.size = b.size
	return true
}

// block reads what is there, at most limit bytes unless that is 0, and not
// beyond the end.
func (b *body) block(limit int) bool {
	if _, err := b.r.Peek(1); err != nil {
		return false
	}
	p, _ := b.r.Peek(b.r.Buffered()) // does not fail: they are there
	if limit > 0 && len(p) > limit {
		p = p[:limit]
	}
	p = p[:b.within(p)]
	if b.keep {
		b.session.body = append(b.session.body, p...)
	}
	b.remember(p)
	b.size += len(p)
	_, err := b.r.Discard(len(p))
	return err == nil
}

// within gives how many bytes of p belong to the message, its end included.
func (b *body) within(p []byte) int {
	var joint [10]byte // a split end is found in the bytes around the split
	head := append(append(joint[:0], b.tail...), p[:min(len(p), len(endOfMessage)-1)]...)
	if i := bytes.Index(head, endOfMessage); i >= 0 {
		return i + len(endOfMessage) - len(b.tail)
	}
	if i := bytes.Index(p, endOfMessage); i >= 0 {
		return i + len(endOfMessage)
	}
	return len(p)
}

// remember keeps the last bytes read in tail.
func (b *body) remember(p []byte) {
	if n := len(endOfMessage); len(p) >= n {
		b.tail = append(b.tail[:0], p[len(p)-n:]...)
		return
	}
	b.tail = append(b.tail, p...)
	if over := len(b.tail) - len(endOfMessage); over > 0 {
		b.tail = append(b.tail[:0], b.tail[over:]...)
	}
}

// unstuff takes away, in place, the dots that a client put before dots at the
// beginnings of lines (RFC 5321 §4.5.2).
func unstuff(msg []byte) []byte {
	if bytes.HasPrefix(msg, []byte(".")) {
		msg = msg[1:]
	}
	first := bytes.Index(msg, []byte("\r\n."))
	if first < 0 {
		return msg
	}
	out, rest := msg[:first], msg[first:]
	for {
		next := bytes.Index(rest, []byte("\r\n."))
		if next < 0 {
			return append(out, rest...)
		}
		out = append(append(out, rest[:next]...), "\r\n"...)
		rest = rest[next+len("\r\n."):]
	}
}

// take records the message, if it is going to be accepted, and answers.
func (x *session) take() bool {
	usual := "250 2.0.0 taken"
	if len(x.to) == 0 {
		usual = "554 5.5.1 no valid recipients"
	}
	r, spoilt := x.match(Dot)
	accepted := strings.HasPrefix(r.reply(usual), "2")
	if len(x.to) > 0 && (r.Keep || accepted) {
		x.server.record(x)
	}
	if spoilt {
		_, alive := x.act(r, usual)
		return alive
	}
	return x.write(usual, 0)
}
