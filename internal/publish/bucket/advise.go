package bucket

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"gocloud.dev/gcerrors"
)

// A problem is an error of a store, in one line, with what can be done about
// it and without secrets.
type problem struct {
	text string
	err  error
}

func (p *problem) Error() string { return p.text }
func (p *problem) Unwrap() error { return p.err }

var (
	breaks  = regexp.MustCompile(`[\s-]*\n[\s-]*`)               // Azure's errors are pages
	queries = regexp.MustCompile(`(https?://[^\s"?]*)\?[^\s"]*`) // Azure's signatures stand there
)

// advise adds to an error what can be done about it.
func advise(err error) error {
	text := queries.ReplaceAllString(breaks.ReplaceAllString(err.Error(), "; "), "$1")
	if what := remedy(err); what != "" {
		text += ": " + what
	}
	return &problem{text, err}
}

func remedy(err error) string {
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return "make the bucket, or mend its name"
	case gcerrors.PermissionDenied:
		return "the keys in the environment must be allowed to list, read, write and delete objects there"
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, errDamaged) || errors.Is(err, errSaid) {
		return ""
	}
	if strings.Contains(err.Error(), "DefaultAzureCredential") {
		return "set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN in the environment"
	}
	// Stores tell missing keys in many ways, and only when they are first needed.
	return "see that the store can be reached, and that the environment holds its keys"
}

// errSaid marks errors of our own, which say what to do.
var errSaid = errors.New("")
