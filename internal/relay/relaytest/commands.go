package relaytest

import (
	"crypto/tls"
	"encoding/base64"
	"strconv"
	"strings"
)

func (x *session) extensions(verb string) string {
	lines := []string{"relaytest"}
	offer := func(condition bool, extension string) {
		if condition && verb == "EHLO" {
			lines = append(lines, extension)
		}
	}
	o := x.server.opts
	offer(true, "ENHANCEDSTATUSCODES")
	offer(true, "8BITMIME")
	offer(!o.NoPipelining, "PIPELINING")
	offer(o.SMTPUTF8, "SMTPUTF8")
	offer(o.TLS != nil && !x.tls, "STARTTLS")
	offer(o.Users != nil, "AUTH "+strings.Join(o.Mechanisms, " "))
	offer(o.Size > 0, "SIZE "+strconv.Itoa(o.Size))
	return "250 " + strings.Join(lines, "\n250 ")
}

func (x *session) startTLS() bool {
	if x.server.opts.TLS == nil || x.tls {
		return x.say(StartTLS, "502 5.5.1 not offered")
	}
	code, alive := x.answer(StartTLS, "220 2.0.0 go ahead")
	if code != 220 || !alive {
		return alive
	}
	x.mail = false
	if r, ok := x.match(Handshake); ok {
		if _, alive := x.act(r, ""); !alive {
			return false
		}
	}
	return x.w.Flush() == nil && x.encrypt()
}

// encrypt fails where the client does not accept the certificate.
func (x *session) encrypt() bool {
	conn := tls.Server(x.conn, x.server.opts.TLS)
	if conn.Handshake() != nil {
		return false
	}
	x.use(conn)
	x.tls = true
	return true
}

func (x *session) authenticate(argument string) bool {
	mechanism, initial, _ := strings.Cut(argument, " ")
	var name, password string
	var ok bool
	switch strings.ToUpper(mechanism) {
	case "PLAIN":
		name, password, ok = x.plain(initial)
	case "LOGIN":
		name, ok = x.ask("Username:", initial)
		if ok {
			password, ok = x.ask("Password:", "")
		}
	default:
		return x.say(Auth, "504 5.5.4 unknown mechanism")
	}
	if want, known := x.server.opts.Users[name]; !ok || !known || want != password {
		return x.say(Auth, "535 5.7.8 wrong username or password")
	}
	code, alive := x.answer(Auth, "235 2.7.0 welcome")
	if code == 235 {
		x.user = name
	}
	return alive
}

func (x *session) plain(initial string) (name, password string, ok bool) {
	text, ok := x.ask("", initial)
	fields := strings.Split(text, "\x00")
	if !ok || len(fields) != 3 {
		return "", "", false
	}
	return fields[1], fields[2], true
}

// ask gives the client's decoded answer, unless it came with the command.
func (x *session) ask(prompt, initial string) (string, bool) {
	if initial == "" {
		x.write("334 "+base64.StdEncoding.EncodeToString([]byte(prompt)), 0)
		var err error
		if initial, err = x.readLine(); err != nil {
			return "", false
		}
	}
	text, err := base64.StdEncoding.DecodeString(initial)
	return string(text), err == nil
}

func (x *session) mailFrom(argument string) bool {
	path, ok := cutPath(argument, "FROM:")
	switch {
	case x.server.opts.Users != nil && x.user == "":
		return x.say(Mail, "530 5.7.0 authentication required")
	case x.mail:
		return x.say(Mail, "503 5.5.1 nested MAIL")
	case !ok:
		return x.say(Mail, "501 5.5.4 syntax")
	}
	x.last = ""
	code, alive := x.answer(Mail, "250 2.1.0 ok")
	if code/100 == 2 {
		x.mail, x.from, x.to = true, path, nil
	}
	return alive
}

func (x *session) rcptTo(argument string) bool {
	path, ok := cutPath(argument, "TO:")
	if !x.mail || !ok {
		return x.say(Rcpt, "503 5.5.1 no MAIL, or syntax")
	}
	x.last = path
	code, alive := x.answer(Rcpt, "250 2.1.5 ok")
	if code/100 == 2 {
		x.to = append(x.to, path)
	}
	return alive
}

func cutPath(argument, prefix string) (string, bool) {
	if len(argument) < len(prefix) || !strings.EqualFold(argument[:len(prefix)], prefix) {
		return "", false
	}
	path, _, _ := strings.Cut(argument[len(prefix):], " ")
	path, open := strings.CutPrefix(path, "<")
	path, shut := strings.CutSuffix(path, ">")
	return path, open && shut
}

func (x *session) data() bool {
	usual := "354 go ahead"
	if len(x.to) == 0 || !x.mail {
		usual = "554 5.5.1 no valid recipients"
	}
	code, alive := x.answer(Data, usual)
	if code != 354 || !alive {
		return alive
	}
	if !x.readBody() {
		x.server.truncated.Add(1)
		return false
	}
	alive = x.take()
	x.mail, x.to, x.last = false, nil, ""
	return alive
}
