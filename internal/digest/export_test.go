package digest

// What tests outside the package look at directly.
var (
	Clean = clean
	Cut   = cut
	Wrap  = wrap
	Sent  = sent
)

// The limits that tests hold messages against.
const (
	MaxSubject = maxSubject
	MaxSent    = maxSent
	LineWidth  = lineWidth
)
