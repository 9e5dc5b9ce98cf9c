package mail

import (
	"errors"
	"fmt"
	"slices"
)

// A Signer adds DKIM signatures (RFC 6376) of one domain, one for each of its
// keys. It is safe for concurrent use.
type Signer struct {
	domain string
	keys   []Key
	tags   [][]string // of each key, the first ones of its signatures
}

// NewSigner makes a Signer. Several keys are for RSA and Ed25519 side by side
// (RFC 8463 §5), and for the time in which one takes over from another.
func NewSigner(domain string, keys ...Key) (*Signer, error) {
	ascii, err := asciiDomain(domain)
	if err != nil {
		return nil, fmt.Errorf("DKIM: %w", err)
	}
	if len(keys) == 0 {
		return nil, errors.New("DKIM: no key")
	}
	s := &Signer{domain: ascii}
	for _, k := range keys {
		if slices.ContainsFunc(s.keys, func(other Key) bool { return other.selector == k.selector }) {
			return nil, fmt.Errorf("DKIM: two keys with the selector %s", k.selector)
		}
		s.keys = append(s.keys, k)
		s.tags = append(s.tags, []string{"v=1;", "a=" + k.algorithm + ";", "c=relaxed/relaxed;", "d=" + ascii + ";", "s=" + k.selector + ";"})
	}
	return s, nil
}

// Sign gives msg with the signatures in front, relaxed in header and body.
// Like append it uses the memory of msg if there is room, and the caller goes
// on with what it gives. The same message has the same signatures at any time
// and in any process.
func (s *Signer) Sign(msg []byte) ([]byte, error) {
	w := signings.Get().(*signing)
	defer w.end()
	if err := s.sign(w, msg); err != nil {
		return nil, fmt.Errorf("DKIM sign for %s: %w", s.domain, err)
	}
	return slices.Insert(msg, 0, w.out...), nil
}

func (s *Signer) sign(w *signing, msg []byte) error {
	if err := w.begin(msg); err != nil {
		return err
	}
	for i, k := range s.keys {
		if err := w.add(s.tags[i], k); err != nil {
			return fmt.Errorf("selector %s: %w", k.selector, err)
		}
	}
	return nil
}

// Record is what lets receivers verify the signatures of one key.
type Record struct {
	Name string // in DNS, without a dot at the end
	Text string // of the TXT record
	Key  string // such as "RSA, 2048 bits"
}

// Records gives the DNS records to publish, in the order of the keys.
func (s *Signer) Records() []Record {
	var all []Record
	for _, k := range s.keys {
		all = append(all, Record{Name: k.selector + "._domainkey." + s.domain, Text: k.record(), Key: k.String()})
	}
	return all
}
