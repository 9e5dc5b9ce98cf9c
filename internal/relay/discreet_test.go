package relay_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"tidings/internal/relay"
	"tidings/internal/relay/relaytest"
)

func TestARelayThatRepeatsThePassword(t *testing.T) {
	login := base64.StdEncoding.EncodeToString([]byte("\x00ann\x00hunter2hunter2"))
	for _, reply := range []string{"535 5.7.8 no: " + login, "535 5.7.8 hunter2hunter2 is wrong"} {
		server := relaytest.Start(t, relaytest.Options{
			Users: map[string]string{"ann": "x"},
			Rules: []relaytest.Rule{{At: relaytest.Auth, Reply: reply}},
		})
		r, err := relay.NewSMTP(relay.SMTPConfig{Host: "127.0.0.1", Port: server.Port(), TLS: relay.NoTLS, Username: "ann", Password: "hunter2hunter2"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.Connect(t.Context())
		if err == nil {
			t.Fatal("logged in")
		}
		if text := err.Error(); strings.Contains(text, "hunter2") || strings.Contains(text, login) || !strings.Contains(text, "535") {
			t.Errorf("the error is %q", text)
		}
	}
}
