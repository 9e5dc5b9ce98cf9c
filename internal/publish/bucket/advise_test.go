package bucket

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

// TestAdviseKeepsSecrets: Azure's signatures are in the addresses that its
// library asks for, and Go's client repeats those when it reaches nobody.
func TestAdviseKeepsSecrets(t *testing.T) {
	cause := &url.Error{Op: "Put", URL: "https://account.blob.core.windows.net/site/feed.xml?sv=2024&sig=hush", Err: errors.New("dial tcp: refused\n-----\nand more")}
	err := advise(cause)
	if !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
	if text := err.Error(); strings.Contains(text, "hush") || strings.Contains(text, "\n") || !strings.Contains(text, "/site/feed.xml") || !strings.Contains(text, "refused; and more") {
		t.Errorf("it says: %q", text)
	}
}
