package newsletter

import (
	"testing"

	"tidings/internal/pace"
	"tidings/internal/relay"
)

func TestVerdicts(t *testing.T) {
	for _, test := range []struct {
		phase    string
		kind     relay.Kind
		code     int
		enhanced string
		text     string
		want     pace.Verdict
	}{
		{relay.PhaseDial, relay.Unavailable, 0, "", "", pace.Unreachable},
		{relay.PhaseTLS, relay.Unavailable, 0, "", "", pace.Unreachable},
		{relay.PhaseGreeting, relay.Unavailable, 554, "", "go away", pace.Unreachable},
		{relay.PhaseGreeting, relay.Unavailable, 421, "4.7.0", "too many connections", pace.Crowded},
		{relay.PhaseAuth, relay.Unavailable, 535, "5.7.8", "wrong password", pace.Unreachable},
		{relay.PhaseAuth, relay.Unavailable, 454, "4.7.0", "not now", pace.Crowded},
		{relay.PhaseMail, relay.Unavailable, 0, "", "", pace.Broken},
		{relay.PhaseMail, relay.Unavailable, 421, "", "closing", pace.Crowded},
		{relay.PhaseMail, relay.Unavailable, 451, "4.7.1", "rate", pace.Crowded},
		{relay.PhaseMail, relay.Unavailable, 452, "4.3.1", "disk full", pace.SenderRefused},
		{relay.PhaseMail, relay.Unavailable, 553, "5.1.8", "bad sender", pace.SenderRefused},
		{relay.PhaseRcpt, relay.Permanent, 550, "5.1.1", "no such user", pace.Refused},
		{relay.PhaseRcpt, relay.Permanent, 550, "5.7.1", "blocked", pace.Disowned},
		{relay.PhaseRcpt, relay.Permanent, 550, "5.7.26", "no DMARC", pace.Disowned},
		{relay.PhaseRcpt, relay.Permanent, 550, "5.7.13", "your account is disabled", pace.Disowned},
		{relay.PhaseRcpt, relay.Permanent, 554, "5.7.1", "Relay access denied", pace.Disowned},
		{relay.PhaseRcpt, relay.Permanent, 530, "5.7.0", "Authentication required", pace.Disowned},
		{relay.PhaseRcpt, relay.Permanent, 550, "5.1.8", "Sender address rejected", pace.Disowned},
		{relay.PhaseRcpt, relay.Permanent, 501, "5.5.2", "syntax", pace.Broken},
		{relay.PhaseRcpt, relay.Permanent, 501, "5.1.3", "bad recipient address syntax", pace.Refused},
		{relay.PhaseRcpt, relay.Permanent, 550, "5.5.0", "Requested action not taken: mailbox unavailable", pace.Refused},
		{relay.PhaseRcpt, relay.Permanent, 503, "5.5.1", "MAIL first", pace.Broken},
		{relay.PhaseData, relay.Permanent, 503, "", "bad sequence of commands", pace.Broken},
		{relay.PhaseRcpt, relay.Permanent, 550, "5.4.6", "too many hops", pace.Refused},
		{relay.PhaseRcpt, relay.Permanent, 0, "", "not an address", pace.Refused},
		{relay.PhaseRcpt, relay.Temporary, 450, "4.2.1", "busy", pace.Refused},
		{relay.PhaseRcpt, relay.Temporary, 452, "4.2.2", "mailbox full", pace.Refused},
		{relay.PhaseRcpt, relay.Temporary, 450, "4.7.1", "Greylisted, come back later", pace.Refused},
		{relay.PhaseRcpt, relay.Temporary, 450, "4.7.1", "come back later", pace.Throttled},
		{relay.PhaseRcpt, relay.Temporary, 451, "", "Rate limit exceeded", pace.Throttled},
		{relay.PhaseRcpt, relay.Unavailable, 421, "4.7.28", "unusual rate", pace.Throttled},
		{relay.PhaseRcpt, relay.Unavailable, 421, "4.4.2", "bye", pace.Broken},
		{relay.PhaseBody, relay.Unavailable, 0, "", "", pace.Broken},
		{relay.PhaseDot, relay.InDoubt, 0, "", "", pace.Broken},
		{relay.PhaseDot, relay.Temporary, 451, "4.3.2", "system not accepting", pace.Throttled},
		{relay.PhaseDot, relay.Permanent, 554, "5.6.0", "bad content", pace.Refused},
	} {
		e := &relay.Error{Phase: test.phase, Kind: test.kind, Reply: relay.Reply{Code: test.code, Enhanced: test.enhanced, Text: test.text}}
		if got := failureOf(e).verdict(nil); got != test.want {
			t.Errorf("%s, %v: verdict %d, want %d", test.phase, e.Reply, got, test.want)
		}
	}
}
