package catalog

import (
	"errors"
	"io"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

// A rawFile is a file descriptor. Package os offers every file it opens to the
// poller, which never takes regular files: six system calls of ten, for each
// of thousands of posts.
type rawFile struct {
	fd   int
	name string
}

func openSource(name string) (source, error) {
	fd, err := retried(func() (int, error) { return unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0) })
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return rawFile{fd, name}, nil
}

func (f rawFile) stamp() (stamp, error) {
	var st unix.Stat_t
	if _, err := retried(func() (int, error) { return 0, unix.Fstat(f.fd, &st) }); err != nil {
		return stamp{}, &fs.PathError{Op: "stat", Path: f.name, Err: err}
	}
	return stamp{st.Size, time.Unix(st.Mtim.Unix())}, nil
}

// Read implements io.Reader.
func (f rawFile) Read(p []byte) (int, error) {
	n, err := retried(func() (int, error) { return unix.Read(f.fd, p) })
	if err != nil {
		return 0, &fs.PathError{Op: "read", Path: f.name, Err: err}
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Close implements io.Closer.
func (f rawFile) Close() error { return unix.Close(f.fd) }

// retried repeats a system call that a signal interrupted.
func retried(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
