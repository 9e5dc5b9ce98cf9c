package relaytest

import (
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// Points at which a Rule can act.
const (
	Connect   = "CONNECT" // the greeting
	EHLO      = "EHLO"    // HELO too
	StartTLS  = "STARTTLS"
	Handshake = "TLS" // in place of, or amid, the handshake after STARTTLS
	Auth      = "AUTH"
	Mail      = "MAIL"
	Rcpt      = "RCPT"
	Data      = "DATA"
	Body      = "BODY" // amid the message, after Rule.After bytes
	Dot       = "DOT"
	Reset     = "RSET"
	Noop      = "NOOP"
	Quit      = "QUIT"
)

// Points lists them all, in the order of a session.
var Points = []string{Connect, EHLO, StartTLS, Handshake, Auth, Mail, Rcpt, Data, Body, Dot, Reset, Noop, Quit}

// A Rule replaces the answer at one point. The first that matches acts. What
// is left blank is as usual. As YAML its keys are the names in lower case.
type Rule struct {
	At        string  `yaml:"at"`
	Recipient string  `yaml:"recipient"` // only where the transaction's recipient is this one; "": any
	Domain    string  `yaml:"domain"`    // or of this domain
	Conn      int     `yaml:"conn"`      // only on the connection of this number; 0: any
	Skip      int     `yaml:"skip"`      // leave so many matches alone first
	Every     int     `yaml:"every"`     // of the following ones act on the first of each so many; 0: on all
	Times     int     `yaml:"times"`     // act so often at most; 0: always
	Chance    float64 `yaml:"chance"`    // act with this probability; 0: surely

	Delay time.Duration `yaml:"delay"` // wait before anything else
	Drip  time.Duration `yaml:"drip"`  // wait between the bytes of the reply; at Body: between the kilobytes read from there on
	Reply string        `yaml:"reply"` // lines separated by "\n", without hyphens: "450 4.2.1 busy"; "": the usual one, or none if Hang, Close or RST
	Raw   string        `yaml:"raw"`   // these very bytes instead of a reply
	Fill  int           `yaml:"fill"`  // bytes of text added to the last line of the reply
	Hang  bool          `yaml:"hang"`  // then neither read nor answer any more, until the client gives up
	Close bool          `yaml:"close"` // then close the connection
	RST   bool          `yaml:"rst"`   // then break it, so that the client sees a reset
	Keep  bool          `yaml:"keep"`  // at Dot: record the message as accepted whatever the reply is
	After int           `yaml:"after"` // at Body: bytes of the message read before
}

// silent reports whether nothing follows the rule on this connection.
func (r Rule) silent() bool { return r.Hang || r.Close || r.RST }

// reply gives what is to be said where usual would be; "" if nothing.
func (r Rule) reply(usual string) string {
	text := r.Reply
	if text == "" && !r.silent() && r.Raw == "" {
		text = usual
	}
	if r.Fill > 0 {
		text += strings.Repeat("x", r.Fill)
	}
	return text
}

// suits reports whether the rule is for a point, a recipient and a connection.
func (r Rule) suits(at, recipient string, conn int) bool {
	return r.At == at && (r.Recipient == "" || r.Recipient == recipient) && (r.Conn == 0 || r.Conn == conn) &&
		(r.Domain == "" || strings.EqualFold(r.Domain, recipient[strings.LastIndexByte(recipient, '@')+1:]))
}

// A script is the rules in force with their counts.
type script struct {
	mu    sync.Mutex
	rules []scripted
	rand  *rand.Rand
}

type scripted struct {
	Rule
	matched, acted int
}

func newScript(rules []Rule, seed uint64) *script {
	if len(rules) == 0 {
		return nil
	}
	s := &script{rand: rand.New(rand.NewPCG(seed, 0))}
	for _, r := range rules {
		s.rules = append(s.rules, scripted{Rule: r})
	}
	return s
}

// match gives the rule that acts at a point, if there is one.
func (s *script) match(at, recipient string, conn int) (Rule, bool) {
	if s == nil {
		return Rule{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.rules {
		if r := &s.rules[i]; r.suits(at, recipient, conn) && r.acts(s.rand) {
			return r.Rule, true
		}
	}
	return Rule{}, false
}

// acts counts a match and decides whether the rule acts on it.
func (r *scripted) acts(random *rand.Rand) bool {
	r.matched++
	n := r.matched - r.Skip - 1
	if n < 0 || r.Every > 0 && n%r.Every != 0 || r.Times > 0 && r.acted == r.Times || r.Chance > 0 && random.Float64() >= r.Chance {
		return false
	}
	r.acted++
	return true
}

// Chaos gives rules that let every fault a relay can have befall each point
// with the given probability, of which Options.Seed decides.
func Chaos(chance float64) []Rule {
	var rules []Rule
	for _, at := range []string{Connect, EHLO, Mail, Rcpt, Data, Dot} {
		rules = append(rules,
			Rule{At: at, Reply: "451 4.3.0 try later"},
			Rule{At: at, Reply: "421 4.3.2 closing", Close: true},
			Rule{At: at, Close: true},
			Rule{At: at, RST: true},
			Rule{At: at, Delay: 20 * time.Millisecond},
			Rule{At: at, Drip: time.Millisecond},
		)
	}
	rules = append(rules,
		Rule{At: Body, RST: true},
		Rule{At: Body, After: 100, Close: true},
		Rule{At: Dot, Keep: true, Close: true},
		Rule{At: Dot, Keep: true, RST: true},
		Rule{At: Dot, Keep: true, Raw: "2", Close: true},
	)
	for i := range rules {
		rules[i].Chance = chance
	}
	return rules
}
