package publish

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncFileSystem returns when everything written to the file system of the
// directory so far is on the disk: one call instead of one for each of many
// files. It reports whether the system can do that.
func syncFileSystem(root *os.Root) (done bool, err error) {
	dir, err := root.Open(".")
	if err != nil {
		return true, err
	}
	defer dir.Close()
	err = unix.Syncfs(int(dir.Fd()))
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EOPNOTSUPP) {
		return false, nil
	}
	if err != nil {
		return true, os.NewSyscallError("syncfs", err)
	}
	return true, nil
}
