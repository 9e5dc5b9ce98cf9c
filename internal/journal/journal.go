// Package journal keeps, for one sender process, what the database cannot
// know in time: which messages had their final dot written, and what the relay
// answered. It is a small preallocated file of fixed records, written with
// plain write(2): it survives the death of the process, and its length never
// changes, so a full disk cannot stop it. The file is locked for as long as
// the process lives; a free lock tells others that the holder is dead and its
// claims can be taken over. It is not synced to the disk, so that it need not
// be complete after a power failure: then, as after any start of the machine,
// what was claimed and not recorded is in doubt.
package journal

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

const (
	recordSize = 40
	records    = 4096
	suffix     = ".journal"
)

// ErrLive is returned by TakeOver while the holder is alive.
var ErrLive = errors.New("the holder is alive")

// A Key names one attempt at one delivery. Attempt tells it from every other
// attempt at it, for ever: the instant of its claim does.
type Key struct {
	Edition, Seq int64
	Attempt      int64
}

// Kinds of record.
const (
	dot    = 'D' // about to write the final dot
	answer = 'A' // the relay's reply to the whole message
	boot   = 'B' // the first record: the run of the machine it was made in
)

// An Outcome is what the journal knows of an attempt whose dot was reached.
type Outcome struct {
	Answered bool
	Code     int // the reply code if answered
}

// A Journal is one process's own. Its methods are safe for concurrent use.
type Journal struct {
	holder string
	path   string

	mu   sync.Mutex
	file *os.File
	next int             // record number to write
	open map[Key]Outcome // written and not yet forgotten
}

// Create makes a locked journal in dir, which is made if need be.
func Create(dir string) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the journal's folder: %w", err)
	}
	var id [8]byte
	rand.Read(id[:])
	j := &Journal{holder: hex.EncodeToString(id[:]), next: 1, open: map[Key]Outcome{}}
	j.path = path(dir, j.holder)
	if err := j.create(); err != nil {
		return nil, fmt.Errorf("make the journal %s: %w", j.path, err)
	}
	return j, nil
}

// create locks the file under a temporary name: nobody may find it unlocked.
func (j *Journal) create() error {
	f, err := os.OpenFile(j.path+".new", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	b := make([]byte, records*recordSize)
	first := encodeBoot(bootID())
	copy(b, first[:])
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err == nil {
		err = os.Rename(f.Name(), j.path)
	}
	if err != nil {
		f.Close()
		os.Remove(f.Name())
		return err
	}
	j.file = f
	return nil
}

// Keep sees to it that others find the journal, and find it locked: if somebody
// removed the file, or its folder, it is made anew. Without it this process
// would pass for dead, and its claims for abandoned.
func (j *Journal) Keep() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	there, err := os.Stat(j.path)
	if err == nil {
		ours, err := j.file.Stat()
		if err != nil || os.SameFile(there, ours) {
			return err
		}
	}
	before := j.file
	err = os.MkdirAll(filepath.Dir(j.path), 0o700)
	if err == nil {
		err = j.create()
	}
	if err == nil {
		err = j.restart()
	}
	if err != nil {
		return fmt.Errorf("make the journal %s anew, which somebody removed: %w", j.path, err)
	}
	return before.Close()
}

func path(dir, holder string) string { return filepath.Join(dir, holder+suffix) }

// Holder is the name under which this process claims deliveries.
func (j *Journal) Holder() string { return j.holder }

// Dot records that the final dot of an attempt is about to be written.
func (j *Journal) Dot(k Key) error { return j.write(dot, k, Outcome{}) }

// Answer records the relay's reply code to the whole message.
func (j *Journal) Answer(k Key, code int) error {
	return j.write(answer, k, Outcome{Answered: true, Code: code})
}

// Forget drops attempts whose results are committed to the database.
func (j *Journal) Forget(ks []Key) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, k := range ks {
		delete(j.open, k)
	}
}

func (j *Journal) write(kind byte, k Key, o Outcome) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.next == records {
		if err := j.restart(); err != nil {
			return fmt.Errorf("journal %s: %w", j.path, err)
		}
	}
	if err := j.put(kind, k, o.Code); err != nil {
		return fmt.Errorf("journal %s: %w", j.path, err)
	}
	j.open[k] = o
	return nil
}

// restart begins the file anew with what is still open. Records further on
// stay until they are overwritten; they do no harm, since they concern
// attempts that are recorded, or say again what the first ones say.
func (j *Journal) restart() error {
	if 2*len(j.open) > records/2 {
		return fmt.Errorf("full: %d attempts are not recorded in the database", len(j.open))
	}
	j.next = 1
	for k, o := range j.open {
		if err := j.put(dot, k, 0); err != nil {
			return err
		}
		if o.Answered {
			if err := j.put(answer, k, o.Code); err != nil {
				return err
			}
		}
	}
	return nil
}

func (j *Journal) put(kind byte, k Key, code int) error {
	r := encode(kind, k, code)
	if _, err := j.file.WriteAt(r[:], int64(j.next)*recordSize); err != nil {
		return err
	}
	j.next++
	return nil
}

// Close removes the journal. Whatever it held must be recorded by then.
func (j *Journal) Close() error {
	return errors.Join(os.Remove(j.path), j.file.Close())
}

// Abandon lets go of the journal but leaves the file, as death would.
func (j *Journal) Abandon() error { return j.file.Close() }

func encode(kind byte, k Key, code int) (r [recordSize]byte) {
	r[0] = kind
	binary.BigEndian.PutUint16(r[2:], uint16(code))
	binary.BigEndian.PutUint64(r[8:], uint64(k.Edition))
	binary.BigEndian.PutUint64(r[16:], uint64(k.Seq))
	binary.BigEndian.PutUint64(r[24:], uint64(k.Attempt))
	binary.BigEndian.PutUint32(r[32:], crc32.ChecksumIEEE(r[:32]))
	return r
}

func encodeBoot(id [16]byte) (r [recordSize]byte) {
	r[0] = boot
	copy(r[8:], id[:])
	binary.BigEndian.PutUint32(r[32:], crc32.ChecksumIEEE(r[:32]))
	return r
}

// bootID names the present run of the machine; zero where the system does not
// say. A test replaces it.
var bootID = func() (id [16]byte) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err == nil {
		b, _ := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(string(text)), "-", ""))
		copy(id[:], b)
	}
	return id
}

// decode gives every intact record's outcome.
func decode(b []byte) map[Key]Outcome {
	outcomes := map[Key]Outcome{}
	for ; len(b) >= recordSize; b = b[recordSize:] {
		r := b[:recordSize]
		if binary.BigEndian.Uint32(r[32:]) != crc32.ChecksumIEEE(r[:32]) {
			continue // never written, or torn
		}
		k := Key{
			Edition: int64(binary.BigEndian.Uint64(r[8:])),
			Seq:     int64(binary.BigEndian.Uint64(r[16:])),
			Attempt: int64(binary.BigEndian.Uint64(r[24:])),
		}
		switch {
		case r[0] == answer:
			outcomes[k] = Outcome{Answered: true, Code: int(binary.BigEndian.Uint16(r[2:]))}
		case r[0] == dot && !outcomes[k].Answered:
			outcomes[k] = Outcome{}
		}
	}
	return outcomes
}

// An Estate is a dead holder's journal. It stays locked until Settle or
// Release.
type Estate struct {
	Outcomes map[Key]Outcome
	Lost     bool // the journal is not there, or not complete: what it does not tell of may have been sent
	file     *os.File
}

// TakeOver reads the journal of a holder that is dead; ErrLive if it is not.
func TakeOver(dir, holder string) (*Estate, error) {
	if holder != filepath.Base(holder) || holder == "." || holder == ".." {
		return &Estate{Lost: true}, nil
	}
	f, err := os.OpenFile(path(dir, holder), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return &Estate{Lost: true}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open the journal of %s: %w", holder, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrLive
		}
		return nil, fmt.Errorf("lock the journal of %s: %w", holder, err)
	}
	b := make([]byte, records*recordSize)
	n, err := f.ReadAt(b, 0)
	if n == 0 && err != nil {
		f.Close()
		return nil, fmt.Errorf("read the journal of %s: %w", holder, err)
	}
	first := encodeBoot(bootID())
	return &Estate{Outcomes: decode(b[:n]), Lost: !bytes.HasPrefix(b[:n], first[:]), file: f}, nil
}

// Gone reports whether there was no journal at all.
func (e *Estate) Gone() bool { return e.file == nil }

// Settle removes the journal: its outcomes are recorded.
func (e *Estate) Settle() error {
	if e.file == nil {
		return nil
	}
	return errors.Join(os.Remove(e.file.Name()), e.file.Close())
}

// Release leaves the journal to the next one who looks.
func (e *Estate) Release() error {
	if e.file == nil {
		return nil
	}
	return e.file.Close()
}

// Holders lists the journals in dir, of the living and the dead.
func Holders(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil {
		return nil, fmt.Errorf("list journals in %s: %w", dir, err)
	}
	for i, f := range files {
		files[i] = filepath.Base(f[:len(f)-len(suffix)])
	}
	return files, nil
}
