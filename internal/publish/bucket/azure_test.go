package bucket_test

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// An azure speaks as much of Azure's protocol as a bucket needs (Blob service
// REST API: Put Blob, Get Blob, Delete Blob, List Blobs), and holds requests to
// their signature with a shared key. It lists few objects at a time.
type azure struct {
	key []byte

	mu      sync.Mutex
	version int64
	blobs   map[string]stored
}

const listed = 5 // objects in an answer

func newAzure(t *testing.T) store {
	t.Helper()
	a := &azure{key: []byte("a shared key"), blobs: map[string]stored{}}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	t.Setenv("AZURE_STORAGE_ACCOUNT", "account")
	t.Setenv("AZURE_STORAGE_KEY", base64.StdEncoding.EncodeToString(a.key))
	t.Setenv("AZURE_STORAGE_PROTOCOL", "http")
	t.Setenv("AZURE_STORAGE_IS_LOCAL_EMULATOR", "true")
	t.Setenv("AZURE_STORAGE_DOMAIN", strings.TrimPrefix(server.URL, "http://"))
	return store{address: "azblob://site", put: func(key, text string) { a.store(key, stored{text: text}) }, objects: func() map[string]stored {
		a.mu.Lock()
		defer a.mu.Unlock()
		return maps.Clone(a.blobs)
	}}
}

func (a *azure) store(key string, o stored) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.version++
	o.version = a.version
	a.blobs[key] = o
}

func (a *azure) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != a.signature(r) {
		refuse(w, http.StatusForbidden, "AuthenticationFailed")
		return
	}
	container, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/account/"), "/")
	a.mu.Lock()
	o, there := a.blobs[key]
	a.mu.Unlock()
	switch {
	case container != "site":
		refuse(w, http.StatusNotFound, "ContainerNotFound")
	case r.Method == http.MethodGet && r.URL.Query().Get("comp") == "list":
		a.list(w, r)
	case r.Method == http.MethodPut && r.URL.RawQuery == "":
		a.take(w, r, key)
	case !there:
		refuse(w, http.StatusNotFound, "BlobNotFound")
	case r.Method == http.MethodGet && r.URL.RawQuery == "":
		w.Header().Set("Content-Type", o.mediaType)
		w.Header().Set("Last-Modified", o.modified().Format(http.TimeFormat))
		w.Header().Set("ETag", fmt.Sprintf("%q", fmt.Sprint(o.version)))
		io.WriteString(w, o.text)
	case r.Method == http.MethodDelete && r.URL.RawQuery == "":
		a.mu.Lock()
		delete(a.blobs, key)
		a.mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
	default:
		refuse(w, http.StatusBadRequest, "UnsupportedHttpVerb")
	}
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("x-ms-error-code", code)
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code></Error>", code)
}

// take is Put Blob.
func (a *azure) take(w http.ResponseWriter, r *http.Request, key string) {
	b, err := io.ReadAll(r.Body)
	sum := md5.Sum(b)
	switch {
	case err != nil || r.Header.Get("x-ms-blob-type") != "BlockBlob":
		refuse(w, http.StatusBadRequest, "InvalidHeaderValue")
	case r.Header.Get("x-ms-blob-content-md5") != base64.StdEncoding.EncodeToString(sum[:]):
		refuse(w, http.StatusBadRequest, "Md5Mismatch")
	default:
		a.store(key, stored{
			text: string(b), mediaType: r.Header.Get("x-ms-blob-content-type"),
			coding: r.Header.Get("x-ms-blob-content-encoding"), caching: r.Header.Get("x-ms-blob-cache-control"),
		})
		w.WriteHeader(http.StatusCreated)
	}
}

func (o stored) modified() time.Time { return time.Unix(1_800_000_000+o.version, 0).UTC() }

// list is List Blobs.
func (a *azure) list(w http.ResponseWriter, r *http.Request) {
	type properties struct {
		Modified string `xml:"Last-Modified"`
		ETag     string `xml:"Etag"`
		Length   int    `xml:"Content-Length"`
		Type     string `xml:"Content-Type"`
		MD5      string `xml:"Content-MD5"`
		Kind     string `xml:"BlobType"`
	}
	type blob struct {
		Name       string
		Properties properties
	}
	answer := struct {
		XMLName xml.Name `xml:"EnumerationResults"`
		Blobs   []blob   `xml:"Blobs>Blob"`
		Next    string   `xml:"NextMarker"`
	}{}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(a.blobs)) {
		if name < r.URL.Query().Get("marker") || !strings.HasPrefix(name, r.URL.Query().Get("prefix")) {
			continue
		}
		if len(answer.Blobs) == listed {
			answer.Next = name
			break
		}
		o := a.blobs[name]
		sum := md5.Sum([]byte(o.text))
		answer.Blobs = append(answer.Blobs, blob{name, properties{
			o.modified().Format(http.TimeFormat), fmt.Sprint(o.version), len(o.text), o.mediaType, base64.StdEncoding.EncodeToString(sum[:]), "BlockBlob",
		}})
	}
	w.Header().Set("Content-Type", "application/xml")
	xml.NewEncoder(w).Encode(answer)
}

// signature is the header that a request must have (Authorize with Shared Key).
func (a *azure) signature(r *http.Request) string {
	length := r.Header.Get("Content-Length")
	if length == "" && r.ContentLength > 0 {
		length = fmt.Sprint(r.ContentLength)
	}
	lines := []string{r.Method, r.Header.Get("Content-Encoding"), r.Header.Get("Content-Language"), length,
		r.Header.Get("Content-MD5"), r.Header.Get("Content-Type"), "", r.Header.Get("If-Modified-Since"), r.Header.Get("If-Match"),
		r.Header.Get("If-None-Match"), r.Header.Get("If-Unmodified-Since"), r.Header.Get("Range")}
	var own []string
	for name, values := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-ms-") {
			own = append(own, name+":"+values[0])
		}
	}
	slices.Sort(own)
	lines = append(append(lines, own...), "/account"+r.URL.EscapedPath())
	query := r.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		lines = append(lines, strings.ToLower(name)+":"+strings.Join(query[name], ","))
	}
	sum := hmac.New(sha256.New, a.key)
	io.WriteString(sum, strings.Join(lines, "\n"))
	return "SharedKey account:" + base64.StdEncoding.EncodeToString(sum.Sum(nil))
}
