package token

import (
	"crypto/hmac"
	"encoding/base32"
	"encoding/binary"
	"strings"
)

// tagMAC is the size of a tag's MAC: 64 bits, for who guesses has to send one
// message for each guess.
const tagMAC = 8

// tagLetters are what mail systems leave alone in a local part, and those that
// fold its case fold to (RFC 4648 §6, in lower case).
var tagLetters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// MaxTag is how long a tag of three numbers gets, when none of them exceeds
// 2^35.
const MaxTag = 37

// Tag gives a short token for some numbers, made of the letters a to z and the
// digits 2 to 7: for places that hold little and may lose the case, such as
// the local part of an address. The same numbers give the same tag.
func (k Key) Tag(purpose string, numbers ...int64) string {
	var body []byte
	for _, n := range numbers {
		body = binary.AppendUvarint(body, uint64(n))
	}
	return tagLetters.EncodeToString(append(body, k.mac("tag "+purpose, body)[:tagMAC]...))
}

// ReadTag gives the numbers of a tag made for purpose, in any case of letters;
// ErrInvalid else.
func (k Key) ReadTag(purpose, tag string) ([]int64, error) {
	tag = strings.ToLower(tag)
	raw, err := tagLetters.DecodeString(tag)
	if err != nil || len(raw) < tagMAC {
		return nil, ErrInvalid
	}
	var numbers []int64
	for body := raw[:len(raw)-tagMAC]; len(body) > 0; {
		n, size := binary.Uvarint(body)
		if size <= 0 {
			return nil, ErrInvalid
		}
		numbers, body = append(numbers, int64(n)), body[size:]
	}
	// Made again, so that each tag has one form only.
	if !hmac.Equal([]byte(k.Tag(purpose, numbers...)), []byte(tag)) {
		return nil, ErrInvalid
	}
	return numbers, nil
}
