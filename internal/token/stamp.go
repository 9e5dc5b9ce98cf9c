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

// Stamped gives when a token was made; ErrInvalid if Stamp did not make it.
func (k Key) Stamped(token string) (time.Time, error) {
	numbers, err := k.ReadTag(stamp, token)
	if err != nil || len(numbers) != 2 {
		return time.Time{}, ErrInvalid
	}
	return time.Unix(numbers[0], 0), nil
}
