package newsletter

// HoldOff is what a Sender asks before it begins a mail.
var HoldOff = (*Service).holdOff

// What compresses mails is made before any test: it holds channels, which
// would belong to the bubble of simulated time that met it first, and be
// forbidden to all other tests.
func init() {
	z, err := squeezer()
	if err == nil {
		z.EncodeAll(nil, nil)
		_, err = unsqueezer()
	}
	if err != nil {
		panic(err)
	}
}
