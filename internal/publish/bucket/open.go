package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"time"

	"cloud.google.com/go/storage"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"
	"gocloud.dev/blob/azureblob"
	"gocloud.dev/blob/gcsblob"
	"gocloud.dev/blob/s3blob"
	"gocloud.dev/gcp"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
)

// keysWithin is how long a check looks for keys: where there are none, the
// libraries ask a network that may not answer.
const keysWithin = 10 * time.Second

// Check reports whether the bucket of an address is there and can be listed,
// and tells what to do if not.
func Check(ctx context.Context, address string) error {
	w, err := Open(ctx, address, nil)
	if err != nil {
		return err
	}
	defer w.Close()
	if err = w.checkKeys(ctx); err == nil {
		_, err = w.bucket.List(nil).Next(ctx)
	}
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("look into %s: %w", w.place, advise(err))
}

// checkKeys says in our words that there are no keys, where the library for S3
// would tell of machines in Amazon's network.
func (w *Writer) checkKeys(ctx context.Context) error {
	var client *s3.Client
	if !w.bucket.As(&client) {
		return nil
	}
	ctx, stop := context.WithTimeout(ctx, keysWithin)
	defer stop()
	if _, err := client.Options().Credentials.Retrieve(ctx); err != nil {
		return fmt.Errorf("the environment holds no keys for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE%w", errSaid)
	}
	return nil
}

// openBucket opens the bucket of an address with what the environment says now.
func openBucket(ctx context.Context, address string) (*blob.Bucket, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	switch u.Scheme {
	case "s3":
		return openS3(ctx, u)
	case "gs":
		return openGoogle(ctx, u)
	}
	service := azureblob.NewDefaultServiceURLOptions()
	if service.AccountName == "" && !u.Query().Has("storage_account") {
		return nil, fmt.Errorf("the storage account is not known: set AZURE_STORAGE_ACCOUNT in the environment%w", errSaid)
	}
	return (&azureblob.URLOpener{MakeClient: azureblob.NewDefaultClient, ServiceURLOptions: *service}).OpenBucketURL(ctx, u)
}

func openS3(ctx context.Context, u *url.URL) (*blob.Bucket, error) {
	b, err := new(s3blob.URLOpener).OpenBucketURL(ctx, u)
	if err != nil {
		return nil, err
	}
	var client *s3.Client
	if b.As(&client) && client.Options().Region == "" {
		return nil, errors.Join(fmt.Errorf("the region is not known: set AWS_REGION in the environment, or add region=REGION to the address; stores that have none take us-east-1%w", errSaid), b.Close())
	}
	return b, nil
}

// openGoogle does without the library's own way to open an address, which
// prints on standard output when there are no keys.
func openGoogle(ctx context.Context, u *url.URL) (*blob.Bucket, error) {
	client := gcp.NewAnonymousHTTPClient(gcp.DefaultTransport())
	if os.Getenv("STORAGE_EMULATOR_HOST") == "" && u.Query().Get("anonymous") != "true" {
		var err error
		if client, err = gcp.NewHTTPClient(gcp.DefaultTransport(), googleKeys(ctx, u.Query().Get("universe_domain"))); err != nil {
			return nil, err
		}
	}
	b, err := (&gcsblob.URLOpener{Client: client}).OpenBucketURL(ctx, u)
	if err != nil {
		return nil, err
	}
	var library *storage.Client
	if b.As(&library) { // a whole object can be written again
		library.SetRetry(storage.WithPolicy(storage.RetryAlways), storage.WithMaxAttempts(4))
	}
	return b, nil
}

// googleKeys are those of the environment. That there are none is told when
// they are needed: a daemon does not stop for that.
func googleKeys(ctx context.Context, domain string) gcp.TokenSource {
	keys, err := gcp.DefaultCredentialsWithParams(context.WithoutCancel(ctx), google.CredentialsParams{UniverseDomain: domain})
	if err != nil {
		return noKeys{fmt.Errorf("the environment holds no keys for Google Cloud Storage: set GOOGLE_APPLICATION_CREDENTIALS to the file of a key (%w)%w", err, errSaid)}
	}
	return gcp.CredentialsTokenSource(keys)
}

type noKeys struct{ err error }

func (n noKeys) Token() (*oauth2.Token, error) { return nil, n.err }
