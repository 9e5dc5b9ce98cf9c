package newsletter

import (
	"strings"

	"tidings/internal/store"
)

// returned is the purpose of the tags by which mails that come back are known.
const returned = "returned mail"

// tag names a mail in its envelope sender and its Message-ID. As nobody can
// make one up, what names a mail by it comes from somebody who has seen the
// mail.
func (s *Service) tag(ref store.DeliveryRef) string {
	return s.Key.Tag(returned, ref.EditionID, ref.Seq)
}

// readTag gives the mail of a tag; ok is false for one that is forged.
func (s *Service) readTag(tag string) (ref store.DeliveryRef, ok bool) {
	numbers, err := s.Key.ReadTag(returned, tag)
	if err != nil || len(numbers) != 2 {
		return ref, false
	}
	return store.DeliveryRef{EditionID: numbers[0], Seq: numbers[1]}, true
}

// returnPath gives the envelope sender of a mail: the address for bounces with
// the mail's tag (VERP), or from, where there is no such address. A mail that
// nothing is to be recorded of has the tag "".
func (s *Service) returnPath(from, tag string) string {
	switch {
	case s.ReturnPath == "":
		return from
	case tag == "":
		return s.ReturnPath
	}
	at := strings.LastIndexByte(s.ReturnPath, '@')
	return s.ReturnPath[:at] + "+" + tag + s.ReturnPath[at:]
}

// returnTag gives the tag of an address that returnPath made, in any case of
// letters; ours is false for all other addresses.
func (s *Service) returnTag(address string) (tag string, ours bool) {
	at, want := strings.LastIndexByte(address, '@'), strings.LastIndexByte(s.ReturnPath, '@')
	if at < 0 || want < 0 || !strings.EqualFold(address[at:], s.ReturnPath[want:]) {
		return "", false
	}
	local, name := address[:at], s.ReturnPath[:want]
	if len(local) < len(name) || !strings.EqualFold(local[:len(name)], name) {
		return "", false
	}
	if local = local[len(name):]; local == "" {
		return "", true
	}
	return strings.CutPrefix(local, "+")
}

// tagOf is returnTag of an address that may be anybody's; "" if it has none.
func (s *Service) tagOf(address string) string {
	tag, _ := s.returnTag(address)
	return tag
}

// idTag gives the tag in a Message-ID.
func idTag(id string) string {
	local, _, _ := strings.Cut(id, "@")
	return local[strings.LastIndexByte(local, '.')+1:]
}
