// Package token makes the secrets of links: opaque, URL-safe, authenticated
// with a key that lives outside the database. A token says what it is for and
// whom it concerns by number; it holds no address. The package also hashes
// addresses with the same key, for suppressions that outlive a person's data.
package token

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// ErrInvalid is returned for a token that is forged, damaged, meant for
// something else, or expired.
var ErrInvalid = errors.New("invalid token")

const (
	keySize = 32
	macSize = 16 // 128 bits: RFC 2104 §5 allows half of the hash
)

// A Key signs tokens and hashes addresses. It is safe for concurrent use.
type Key struct {
	tokens    *sync.Pool // of hash.Hash, keyed: making one costs more than a token
	addresses *sync.Pool
}

// NewKey derives a Key from secret, which has at least 32 bytes.
func NewKey(secret []byte) (Key, error) {
	if len(secret) < keySize {
		return Key{}, fmt.Errorf("secret key: %d bytes, need at least %d", len(secret), keySize)
	}
	return Key{tokens: pool(secret, "token"), addresses: pool(secret, "address")}, nil
}

func pool(secret []byte, purpose string) *sync.Pool {
	key := derive(secret, purpose)
	return &sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}
}

// OpenKey reads the key file, or makes it (mode 0600) if there is none.
func OpenKey(file string) (Key, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err = create(file); err != nil {
			return Key{}, fmt.Errorf("make the secret key %s (its folder must be writable, or set secret_file): %w", file, err)
		}
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return Key{}, fmt.Errorf("read the secret key: %w", err)
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		return Key{}, fmt.Errorf("secret key %s: not hexadecimal; links in mails already sent depend on it, so restore it from a backup rather than deleting it", file)
	}
	k, err := NewKey(secret)
	if err != nil {
		return Key{}, fmt.Errorf("%s: %w; restore it from a backup", file, err)
	}
	return k, nil
}

// create writes a new key by linking a finished file into place, so that two
// processes starting at once agree on one.
func create(file string) error {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var secret [keySize]byte
	rand.Read(secret[:])
	tmp, err := os.CreateTemp(dir, ".secret-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = fmt.Fprintln(tmp, hex.EncodeToString(secret[:]))
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func derive(key []byte, purpose string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("tidings " + purpose))
	return m.Sum(nil)
}

// Address gives the keyed hash of a normalised mail address, in hex.
func (k Key) Address(normal string) string {
	m := k.addresses.Get().(hash.Hash)
	defer k.addresses.Put(m)
	m.Reset()
	m.Write([]byte(normal))
	return hex.EncodeToString(m.Sum(nil))
}

// A Claim is what a token stands for.
type Claim struct {
	Purpose    string // "confirm", "unsubscribe"
	Subscriber int64
	Newsletter string
	Expires    time.Time // zero: never; whole seconds
}

// Sign gives the token of a claim: the same claim gives the same token.
func (k Key) Sign(c Claim) string {
	body := binary.AppendUvarint(nil, uint64(c.Subscriber))
	var expires uint64
	if !c.Expires.IsZero() {
		expires = uint64(c.Expires.Unix())
	}
	body = binary.AppendUvarint(body, expires)
	body = append(body, c.Newsletter...)
	return base64.RawURLEncoding.EncodeToString(append(k.mac(c.Purpose, body), body...))
}

// Verify gives the claim of a token made for purpose; ErrInvalid else.
func (k Key) Verify(purpose, token string, now time.Time) (Claim, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < macSize {
		return Claim{}, ErrInvalid
	}
	body := raw[macSize:]
	if !hmac.Equal(raw[:macSize], k.mac(purpose, body)) {
		return Claim{}, ErrInvalid
	}
	c := Claim{Purpose: purpose}
	id, n := binary.Uvarint(body)
	if n <= 0 {
		return Claim{}, ErrInvalid
	}
	expires, m := binary.Uvarint(body[n:])
	if m <= 0 {
		return Claim{}, ErrInvalid
	}
	c.Subscriber, c.Newsletter = int64(id), string(body[n+m:])
	if expires != 0 {
		c.Expires = time.Unix(int64(expires), 0).UTC()
		if !now.Before(c.Expires) {
			return Claim{}, ErrInvalid
		}
	}
	return c, nil
}

func (k Key) mac(purpose string, body []byte) []byte {
	m := k.tokens.Get().(hash.Hash)
	defer k.tokens.Put(m)
	m.Reset()
	m.Write([]byte(purpose))
	m.Write([]byte{0})
	m.Write(body)
	return m.Sum(nil)[:macSize]
}
