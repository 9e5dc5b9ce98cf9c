package token

import (
	"crypto/rand"
	"encoding/binary"
	"time"
)

// stamp is the purpose of the tags that say when a form was shown.
const stamp = "form"

// Stamp gives a token that says when it was made, in whole seconds. No two are
// alike, so that each can be taken once.
func (k Key) Stamp(now time.Time) string {
	var random [8]byte
	rand.Read(random[:])
	return k.Tag(stamp, now.Unix(), int64(binary.LittleEndian.Uint64(random[:])>>1))
}

// Stamped gives when a token was made; ErrInvalid if Stamp did not make it as
// it stands: unlike other tags it has one spelling alone, for whoever remembers
// which were taken compares them letter by letter.
func (k Key) Stamped(token string) (time.Time, error) {
	numbers, err := k.ReadTag(stamp, token)
	if err != nil || len(numbers) != 2 || token != k.Tag(stamp, numbers...) {
		return time.Time{}, ErrInvalid
	}
	return time.Unix(numbers[0], 0), nil
}
