package bucket_test

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fsouza/fake-gcs-server/fakestorage"

	"tidings/internal/publish"
	"tidings/internal/publish/bucket"
)

// stored is an object as a store has it.
type stored struct {
	text, mediaType, coding, caching string
	version                          int64 // another one after each time it was written
}

// A store is one beside S3.
type store struct {
	address string // of a bucket that is there, without a folder
	put     func(key, text string)
	objects func() map[string]stored
}

func TestOtherClouds(t *testing.T) {
	for name, open := range map[string]func(*testing.T) store{"Google": newGoogle, "Azure": newAzure} {
		t.Run(name, func(t *testing.T) { testStore(t, open(t)) })
	}
}

func testStore(t *testing.T, s store) {
	s.put("blog/photo.jpg", "a picture")
	s.put("blog/index.json", "somebody's search index")
	first, second := newSet(t, "go/First", "old/Second"), newSet(t, "go/First again")
	write := func(set *publish.Set) publish.WriteReport {
		t.Helper()
		w, err := bucket.Open(t.Context(), s.address+"/blog", []string{"gzip"})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		report, err := w.Write(t.Context(), set)
		if err != nil {
			t.Fatal(err)
		}
		return report
	}
	if err := bucket.Check(t.Context(), s.address); err != nil {
		t.Error(err)
	}
	if n := len(first.Documents()); write(first) != (publish.WriteReport{Files: n, Written: n}) {
		t.Error("not everything was written")
	}
	before := s.objects()
	s.holds(t, first)
	for key, coding := range map[string]string{"blog/tags/go/atom.xml": "", "blog/tags/go/atom.xml.gz": "gzip"} {
		o := before[key]
		if o.mediaType != "application/atom+xml; charset=utf-8" || o.coding != coding || o.caching != publish.Caching {
			t.Errorf("%s is sent with %q, %q, %q", key, o.mediaType, o.coding, o.caching)
		}
	}
	write(first)
	for key, o := range s.objects() {
		if o.version != before[key].version {
			t.Errorf("%s was written again", key)
		}
	}
	s.put("blog/tags/go/feed.xml", strings.ToUpper(before["blog/tags/go/feed.xml"].text))
	write(first)
	s.holds(t, first)
	if report := write(second); report.Removed == 0 {
		t.Errorf("%+v", report)
	}
	s.holds(t, second)
}

// holds checks that the bucket holds the plain objects of a set and what is
// somebody else's.
func (s store) holds(t *testing.T, set *publish.Set) {
	t.Helper()
	want, got := map[string]string{"blog/photo.jpg": "a picture"}, map[string]string{}
	for name, text := range contents(t, set) {
		want["blog/"+name] = text
	}
	want["blog/index.json"] = "somebody's search index"
	for key, o := range s.objects() {
		if !strings.HasSuffix(key, ".gz") && !strings.HasSuffix(key, manifestName) {
			got[key] = o.text
		}
	}
	diff(t, want, got)
}

// newGoogle is an independent server of Google's protocol.
func newGoogle(t *testing.T) store {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	host := server.Listener.Addr().String()
	gcs, err := fakestorage.NewServerWithOptions(fakestorage.Options{NoListener: true, PublicHost: host, Writer: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = gcs.HTTPHandler()
	server.Start()
	t.Cleanup(server.Close)
	t.Setenv("STORAGE_EMULATOR_HOST", host)
	gcs.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: "site"})
	return store{
		address: "gs://site",
		put: func(key, text string) {
			gcs.CreateObject(fakestorage.Object{ObjectAttrs: fakestorage.ObjectAttrs{BucketName: "site", Name: key}, Content: []byte(text)})
		},
		objects: func() map[string]stored {
			list, err := gcs.ListObjectsWithOptionsPaginated("site", fakestorage.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			all := map[string]stored{}
			for _, a := range list.Objects {
				o, err := gcs.GetObject("site", a.Name)
				if err != nil {
					t.Fatal(err)
				}
				all[a.Name] = stored{string(o.Content), o.ContentType, o.ContentEncoding, o.CacheControl, o.Generation}
			}
			return all
		},
	}
}

// TestCheckSaysWhatToDo asks for buckets that are not there, and without keys.
func TestCheckSaysWhatToDo(t *testing.T) {
	google, azure, amazon := newGoogle(t), newAzure(t), newCloud(t)
	absent := func(address string) string { return strings.Replace(address, "site", "elsewhere", 1) }
	check := func(address, want string) {
		t.Helper()
		err := bucket.Check(t.Context(), address)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", address, err)
		}
	}
	check(absent(google.address), "make the bucket, or mend its name")
	check(absent(azure.address), "make the bucket, or mend its name")
	check(absent(amazon.address("site")), "make the bucket, or mend its name")
	amazon.refusing(func(string, string) bool { return true })
	check(amazon.address("site"), "must be allowed to list")
	t.Setenv("AZURE_STORAGE_KEY", "")
	t.Setenv("AZURE_STORAGE_SAS_TOKEN", "sv=2024-11-04&sig=hush")
	check(azure.address, "must be allowed to list")
	t.Setenv("AZURE_STORAGE_ACCOUNT", "")
	check("azblob://site", "set AZURE_STORAGE_ACCOUNT")
	t.Setenv("STORAGE_EMULATOR_HOST", "")
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", t.TempDir()+"/none.json")
	check("gs://site", "set GOOGLE_APPLICATION_CREDENTIALS")
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
	check("s3://site?region=eu-central-1", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	check("s3://site", "set AWS_REGION")
}
