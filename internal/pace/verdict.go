package pace

// A Verdict is what became of a mail, as far as the next ones are concerned.
type Verdict int

// The verdicts.
const (
	Unused        Verdict = iota // it was not begun after all
	Accepted                     // the relay took it
	Refused                      // the recipient or the message was refused for its own sake
	Throttled                    // refused for the number or the repute of our mails to that domain
	Disowned                     // refused for who we are, whoever the recipient is
	SenderRefused                // the relay does not take the newsletter's sender
	Crowded                      // the relay asks to slow down
	Broken                       // the connection was lost, or closed by the relay, while the mail was under way
	Unreachable                  // no connection could be made
)

// What a verdict says of the three things that a mail depends on.
type effect int

const (
	nothing effect = iota
	works
	fails
)

var effects = [...]struct{ relay, newsletter, domain effect }{
	Unused:        {},
	Accepted:      {works, works, works},
	Refused:       {works, works, works},
	Throttled:     {works, works, fails},
	Disowned:      {fails, works, fails},
	SenderRefused: {works, fails, nothing},
	Crowded:       {fails, nothing, nothing},
	Broken:        {fails, nothing, fails},
	Unreachable:   {fails, nothing, nothing},
}
