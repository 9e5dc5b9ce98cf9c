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

// record keeps the message of a session, and writes it to the log, before
// anybody is told.
func (s *Server) record(x *session) {
	m := Message{
		Conn: x.number, From: x.from, To: slices.Clone(x.to), MessageID: messageID(x.body),
		Size: len(x.body), Time: time.Now(), HELO: x.helo, TLS: x.tls, User: x.user,
	}
	if !s.opts.Discard {
		m.Data = bytes.Clone(x.body)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m.Seq = len(s.accepted) + 1
	s.accepted = append(s.accepted, m)
	if s.log != nil {
		s.writeLog(m, x.body)
	}
	close(s.arrived)
	s.arrived = make(chan struct{})
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
	From      string    `json:"from"`
	To        []string  `json:"to"`
	MessageID string    `json:"message_id"`
	Size      int       `json:"size"`
	SHA256    string    `json:"sha256"`
}

// writeLog appends with a single write, which survives the end of the process.
func (s *Server) writeLog(m Message, body []byte) {
	sum := sha256.Sum256(body)
	line, err := json.Marshal(Entry{Time: m.Time, From: m.From, To: m.To, MessageID: m.MessageID, Size: m.Size, SHA256: hex.EncodeToString(sum[:])})
	if err == nil {
		_, err = s.log.Write(append(line, '\n'))
	}
	if err != nil && s.logErr == nil {
		s.logErr = err
	}
}
