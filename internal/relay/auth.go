package relay

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"slices"
	"strings"

	"github.com/wneessen/go-mail/smtp"
)

// authenticate logs in with the best mechanism that both sides know.
func (r *smtpRelay) authenticate(sock *socket, client *smtp.Client) error {
	if r.Username == "" {
		return nil
	}
	offered, list := client.Extension("AUTH")
	if !offered {
		return fmt.Errorf("%s offers no authentication on port %d; use its submission port (often 587), or leave username empty", r.Host, r.Port)
	}
	_, encrypted := client.TLSConnectionState()
	auth, err := r.mechanism(strings.Fields(strings.ToUpper(list)), encrypted || isLoopback(sock.RemoteAddr()))
	if err != nil {
		return err
	}
	sock.allow(r.Timeouts.Command)
	return r.discreet(client.Auth(auth))
}

// discreet keeps the password out of errors, and so out of logs: some relays
// repeat the login in their refusal.
func (r *smtpRelay) discreet(err error) error {
	if err == nil || r.Password == "" {
		return err
	}
	for _, secret := range []string{r.Password, "\x00" + r.Username + "\x00" + r.Password} {
		for _, spelling := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))} {
			if strings.Contains(err.Error(), spelling) {
				return &textproto.Error{Code: replyIn(err).Code, Msg: "login refused (the relay's words are left out, since they repeat the password)"}
			}
		}
	}
	return err
}

// mechanism chooses among what the relay offers. On a safe channel nobody can
// read a password underway; elsewhere it must not be sent as it is.
func (r *smtpRelay) mechanism(offered []string, safe bool) (smtp.Auth, error) {
	for _, m := range []struct {
		name    string
		secret  bool // keeps the password from readers
		prepare func() smtp.Auth
	}{
		{"SCRAM-SHA-256", true, func() smtp.Auth { return smtp.ScramSHA256Auth(r.Username, r.Password) }},
		{"SCRAM-SHA-1", true, func() smtp.Auth { return smtp.ScramSHA1Auth(r.Username, r.Password) }},
		{"PLAIN", false, func() smtp.Auth { return smtp.PlainAuth("", r.Username, r.Password, r.Host, true) }},
		{"LOGIN", false, func() smtp.Auth { return smtp.LoginAuth(r.Username, r.Password, r.Host, true) }},
		{"CRAM-MD5", true, func() smtp.Auth { return smtp.CRAMMD5Auth(r.Username, r.Password) }},
	} {
		if slices.Contains(offered, m.name) && (safe || m.secret) {
			return m.prepare(), nil
		}
	}
	if !safe {
		return nil, errors.New("the relay wants the password as it is, but the connection is not encrypted; set tls to starttls or tls")
	}
	return nil, fmt.Errorf("none of the relay's mechanisms is known: %s", clean(strings.Join(offered, " ")))
}

func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
