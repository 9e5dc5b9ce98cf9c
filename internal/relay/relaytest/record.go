package relaytest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// record counts the message of a session, keeps it and writes it to the log,
// before anybody is told.
func (s *Server) record(x *session) {
	var m Message
	var sum string
	if s.keeps() {
		m, sum = x.message()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken++
	m.Seq = s.taken
	if !s.opts.Discard {
		s.accepted = append(s.accepted, m)
	}
	if s.log != nil {
		s.writeLog(m, sum)
	}
	if s.arrived != nil {
		close(s.arrived)
		s.arrived = nil
	}
}

// message gives what was received, with the hex SHA-256 of its data.
func (x *session) message() (m Message, sum string) {
	m = Message{
		Conn: x.number, From: x.from, To: slices.Clone(x.to), MessageID: messageID(x.body),
		Size: x.size, Time: time.Now(), HELO: x.helo, TLS: x.tls, User: x.user,
	}
	if x.server.log != nil {
		hash := sha256.Sum256(x.body)
		sum = hex.EncodeToString(hash[:])
	}
	if !x.server.opts.Discard {
		m.Data = bytes.Clone(x.body)
	}
	return m, sum
}

// messageID gives the value of that header field; "" if there is none.
func messageID(msg []byte) string {
	const name = "message-id:"
	for line := range bytes.Lines(msg) {
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			return ""
		}
		if len(line) > len(name) && strings.EqualFold(string(line[:len(name)]), name) {
			return string(bytes.TrimSpace(line[len(name):]))
		}
	}
	return ""
}

// Entry is a line of the log file.
type Entry struct {
	Time      time.Time `json:"time"`
	Seq       int       `json:"seq"`
	Conn      int       `json:"conn"`
	From      string    `json:"from"`
	To        []string  `json:"to"`
	MessageID string    `json:"message_id"`
	Size      int       `json:"size"`
	SHA256    string    `json:"sha256"`
}

// writeLog appends with a single write, which survives the end of the process.
func (s *Server) writeLog(m Message, sum string) {
	line, err := json.Marshal(Entry{m.Time, m.Seq, m.Conn, m.From, m.To, m.MessageID, m.Size, sum})
	if err == nil {
		_, err = s.log.Write(append(line, '\n'))
	}
	if err != nil && s.logErr == nil {
		s.logErr = err
	}
}
