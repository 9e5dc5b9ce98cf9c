package bucket

import (
	"errors"
	"fmt"
	"net/url"
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
	case u.Query().Has("prefix"):
		return "", "", errors.New("write the folder behind the bucket, instead of prefix")
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

// Name is what people call the place: the address without its parameters.
func Name(address string) string {
	place, _, _ := strings.Cut(address, "?")
	return place
}
