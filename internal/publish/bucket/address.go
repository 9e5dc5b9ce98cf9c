package bucket

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// schemes of the stores of objects that are known.
const known = "s3://BUCKET, gs://BUCKET or azblob://CONTAINER, with /FOLDER behind it if need be"

// CheckAddress tells what is wrong with an address; it does not look whether
// the bucket is there.
func CheckAddress(address string) error {
	_, _, err := split(address)
	return err
}

// split gives the address of the bucket itself, with its parameters, and the
// folder in it: "" or one that ends with a slash.
func split(address string) (bucket, folder string, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", "", fmt.Errorf("not a valid address: use %s", known) // the parser's error holds the address
	}
	switch u.Scheme {
	case "s3", "gs", "azblob":
	default:
		return "", "", fmt.Errorf("%s:// is not supported: use %s", u.Scheme, known)
	}
	switch {
	case u.User != nil:
		return "", "", errors.New("keys do not belong into the address: they come from the environment, as the provider's own tools take them")
	case u.Host == "":
		return "", "", fmt.Errorf("no bucket is named: use %s", known)
	case u.Port() != "":
		return "", "", fmt.Errorf("%s is a server, not a bucket: for a server of your own use s3://BUCKET?use_path_style=true&endpoint=http://%[1]s", u.Host)
	case u.Query().Has("prefix"):
		return "", "", errors.New("write the folder behind the bucket, instead of prefix")
	}
	if err := checkParameters(u); err != nil {
		return "", "", err
	}
	if folder = strings.Trim(u.Path, "/"); folder != "" {
		folder += "/"
	}
	for segment := range strings.SplitSeq(strings.TrimSuffix(folder, "/"), "/") {
		if segment == ".." || segment == "." || folder != "" && segment == "" {
			return "", "", fmt.Errorf("%q is not the name of a folder", u.Path)
		}
	}
	u.Path, u.RawPath = "", ""
	return u.String(), folder, nil
}

// parameters are what an address may have behind "?", of those that
// gocloud.dev/blob knows. None of them is a secret.
var parameters = map[string][]string{
	"s3": {
		"region", "endpoint", "use_path_style", "profile", "anonymous", "ssetype", "kmskeyid", "accelerate", "dualstack", "fips",
		"disable_https", "hostname_immutable", "rate_limiter_capacity", "request_checksum_calculation", "response_checksum_validation",
		"role", "role_session_name", "role_external_id", "role_duration", "web_identity_token_file",
	},
	"gs":     {"anonymous", "universe_domain"},
	"azblob": {"storage_account", "domain", "protocol", "cdn", "localemu"},
}

// checkParameters repeats no value: somebody may have put a key there.
func checkParameters(u *url.URL) error {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("what is behind ? is not NAME=VALUE&NAME=VALUE")
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !slices.Contains(parameters[u.Scheme], name) {
			return fmt.Errorf("%s:// has no parameter %s: it has %s; keys come from the environment", u.Scheme, name, strings.Join(parameters[u.Scheme], ", "))
		}
	}
	return nil
}

// Name is what people call the place: the address without its parameters.
func Name(address string) string {
	place, _, _ := strings.Cut(address, "?")
	return place
}
