//go:build !linux

package postgres

import "time"

// giveUpAfter leaves it to the system when a connection is given up.
func giveUpAfter(int, time.Duration) {}
