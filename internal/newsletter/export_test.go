package newsletter

// HoldOff is what a Sender asks before it begins a mail.
var HoldOff = (*Service).holdOff
