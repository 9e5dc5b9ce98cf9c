package relay

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// NewCapture gives a Relay that keeps every mail in a Maildir, which it makes
// when the first one comes, and the box to read them from. Nothing leaves the
// machine. Several processes may use one directory, mail programs too. now
// gives the time of arrival.
func NewCapture(dir string, now func() time.Time) (Relay, *Mailbox) {
	return &capture{dir: dir, now: now}, &Mailbox{dir: dir}
}

// The folders of a Maildir.
const (
	folderTmp = "tmp" // being written
	folderNew = "new" // delivered
	folderCur = "cur" // seen by a mail program, which appends flags to the name
)

type capture struct {
	dir     string
	now     func() time.Time
	counter atomic.Uint32
}

// Connect implements Relay.
func (c *capture) Connect(ctx context.Context) (Conn, error) {
	if ctx.Err() != nil {
		return nil, unavailable(ctx, PhaseDial, ctx.Err())
	}
	for _, folder := range []string{folderTmp, folderNew, folderCur} {
		if err := os.MkdirAll(filepath.Join(c.dir, folder), 0o700); err != nil {
			return nil, unavailable(ctx, PhaseDial, fmt.Errorf("capture box: %w", err))
		}
	}
	return captureConn{c}, nil
}

// captureConn has no state: every message is a file of its own.
type captureConn struct{ *capture }

// Usable implements Conn.
func (captureConn) Usable() bool { return true }

// Announce implements Conn. There is no round trip to spare.
func (captureConn) Announce(Envelope, []byte) {}

// Close implements Conn.
func (captureConn) Close() error { return nil }

// Send implements Conn. The message appears in the box as a whole or not at
// all. It is not synced to disk: a captured mail is for looking at.
func (c captureConn) Send(ctx context.Context, env Envelope, msg []byte, atDot func() error) (Reply, error) {
	if err := checkEnvelope(env); err != nil {
		return Reply{}, err
	}
	id := c.newID()
	tmp := filepath.Join(c.dir, folderTmp, id)
	err := os.WriteFile(tmp, append(envelopeHeader(env), msg...), 0o600)
	if err = errors.Join(err, ctx.Err()); err != nil {
		return Reply{}, discard(ctx, tmp, PhaseBody, err)
	}
	if atDot != nil {
		if err := atDot(); err != nil {
			return Reply{}, discard(ctx, tmp, PhaseDot, err)
		}
	}
	if err := os.Rename(tmp, filepath.Join(c.dir, folderNew, id)); err != nil {
		return Reply{}, discard(ctx, tmp, PhaseDot, err)
	}
	return Reply{Code: 250, Enhanced: "2.0.0", Text: "captured as " + id}, nil
}

// discard takes back an unfinished message. The box never has it, hence never
// in doubt.
func discard(ctx context.Context, tmp, phase string, err error) error {
	_ = os.Remove(tmp) // it may not be there; tmp is not read
	return unavailable(ctx, phase, fmt.Errorf("capture box: %w", err))
}

// idEnding stands where other Maildir programs put the host's name.
const idEnding = ".tidings"

// newID gives a file name that no other process makes and that sorts by time.
func (c *capture) newID() string {
	now := c.now()
	var random [6]byte
	rand.Read(random[:])
	return fmt.Sprintf("%010d.M%06dQ%08xP%dR%s%s", now.Unix(), now.Nanosecond()/1000, c.counter.Add(1), os.Getpid(), hex.EncodeToString(random[:]), idEnding)
}

const (
	returnPath  = "Return-Path: <"
	deliveredTo = "Delivered-To: "
)

// envelopeHeader is put before a captured message, as the last hop does (RFC
// 5321 §4.4).
func envelopeHeader(env Envelope) []byte {
	return []byte(returnPath + env.From + ">\r\n" + deliveredTo + env.To + "\r\n")
}
