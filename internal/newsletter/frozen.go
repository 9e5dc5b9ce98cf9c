package newsletter

import (
	"bytes"
	"fmt"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"

	"tidings/internal/digest"
	"tidings/internal/mail"
	"tidings/internal/store"
)

// zstdMagic begins a compressed mail (RFC 8878 §3.1.1). No mail.Template in
// its stored form begins with it.
var zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

// maxFrozen bounds a mail that is read from the database, in bytes.
const maxFrozen = 16 << 20

// squeezer gives what compresses mails: markup repeats itself, so that a mail
// takes up about an eighth.
var squeezer = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(128<<10), zstd.WithLowerEncoderMem(true))
})

var unsqueezer = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxFrozen))
})

// freeze gives a mail as it is kept.
func freeze(t *mail.Template) ([]byte, error) {
	plain, err := t.MarshalBinary()
	if err != nil {
		return nil, err
	}
	z, err := squeezer()
	if err != nil {
		return nil, err
	}
	return z.EncodeAll(plain, nil), nil
}

// thaw reads the mail of a group, also one from before mails were compressed.
func (s *Service) thaw(g store.Group) (*frozen, error) {
	f := &frozen{template: new(mail.Template), sender: g.Sender, base: g.Base, date: g.Date}
	kept := g.Template
	if bytes.HasPrefix(kept, zstdMagic) {
		z, err := unsqueezer()
		if err != nil {
			return nil, err
		}
		if kept, err = z.DecodeAll(kept, nil); err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
	}
	if err := f.template.UnmarshalBinary(kept); err != nil {
		return nil, err
	}
	if slices.Contains(f.template.Slots(), digest.SlotEdition) {
		f.edition = s.webName(g)
	}
	return f, nil
}

// slots fills those of a digest for the reader of a token for leaving.
func (f *frozen) slots(leave string) map[string]string {
	slots := map[string]string{digest.SlotUnsubscribe: leave}
	if f.edition != "" {
		slots[digest.SlotEdition] = f.edition
	}
	return slots
}
