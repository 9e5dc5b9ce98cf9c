package main

import (
	"fmt"
	"slices"
	"strings"
)

// A role is a part of a daemon's work that can be left to others.
type role string

const (
	roleWeb      role = "web"      // pages, feeds, files of feeds, returned mail
	roleSend     role = "send"     // confirmations and digests
	roleSchedule role = "schedule" // editions that fall due, alerts, imports, what is kept for a time
)

// allRoles in the order in which people read of them.
var allRoles = []role{roleWeb, roleSend, roleSchedule}

// roles are those of one daemon; none: all.
type roles []role

func (r roles) has(one role) bool { return len(r) == 0 || slices.Contains(r, one) }

// posts reports whether the daemon reads posts: mails on their way are made
// already.
func (r roles) posts() bool { return r.has(roleWeb) || r.has(roleSchedule) }

func (r roles) String() string {
	var names []string
	for _, one := range allRoles {
		if r.has(one) {
			names = append(names, string(one))
		}
	}
	return strings.Join(names, ",")
}

// parseRoles reads the values of --only.
func parseRoles(names []string) (r roles, err error) {
	for _, name := range names {
		one := role(strings.TrimSpace(name))
		if !slices.Contains(allRoles, one) {
			return nil, fmt.Errorf("--only: %q is not a role; the roles are %s", name, roles(nil))
		}
		r = append(r, one)
	}
	return r, nil
}
