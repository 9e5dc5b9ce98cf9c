package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
)

// maxSecret bounds what is read from the file of a secret.
const maxSecret = 64 << 10

// resolveDatabase makes the path of a database file absolute or start at dir.
func (c *Config) resolveDatabase(dir string) {
	if file, ok := c.Database.SQLite(); ok {
		// sqlite:///var/lib/x and sqlite://x are in use elsewhere.
		c.Database.URL = sqliteScheme + below(dir, strings.TrimPrefix(file, "//"))
	}
}

// resolvePaths makes every other path absolute or start at dir.
func resolvePaths(section reflect.Value, dir string) {
	for _, f := range fieldsOf(section.Type()) {
		v := section.Field(f.at)
		_, many := f.ofCollection()
		switch {
		case f.kind.Kind() == reflect.Struct:
			resolvePaths(v, dir)
		case many:
			for i := range v.Len() {
				resolvePaths(v.Index(i), dir)
			}
		case f.rule.address && IsAddress(v.String()):
		case f.rule.path && v.String() != "":
			v.SetString(below(dir, v.String()))
		}
	}
}

// IsAddress tells an address such as s3://bucket/folder from the path of a
// folder.
func IsAddress(place string) bool {
	scheme, _, ok := strings.Cut(place, "://")
	return ok && scheme != "" && !strings.ContainsAny(scheme, `/\.`)
}

func below(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

// trimAddresses lets paths be added to every address as they are.
func (c *Config) trimAddresses() {
	for _, address := range []*string{&c.Site.URL, &c.Feeds.URL, &c.HTTP.URL} {
		*address = strings.TrimRight(*address, "/")
	}
}

// readSecrets reads the files that hold secrets, and makes sure that the
// signing keys are there.
func (c *Config) readSecrets() Faults {
	var faults Faults
	for _, s := range []struct {
		key, file string
		form      string
		into      *string
	}{
		{"mail.smtp.password", c.Mail.SMTP.PasswordFile, "", &c.Mail.SMTP.Password},
		{"database.url", c.Database.URLFile, "database", &c.Database.URL},
	} {
		if s.file == "" {
			continue
		}
		if c.origin.written(s.key) && *s.into != "" {
			faults = append(faults, c.origin.fault(s.key+"_file", "give %s or %[1]s_file, not both", s.key))
			continue
		}
		text, err := readSecret(s.file)
		if err != nil {
			faults = append(faults, c.origin.fault(s.key+"_file", "%v", err))
			continue
		}
		if problem := (rule{required: true, form: s.form}).check(text); problem != "" {
			faults = append(faults, c.origin.fault(s.key+"_file", "content of %s: %s", s.file, problem))
		}
		*s.into = text
	}
	for i, k := range c.Mail.DKIM.all() {
		if k.KeyFile == "" {
			continue
		}
		if _, err := readSecret(k.KeyFile); err != nil {
			faults = append(faults, c.origin.fault(c.Mail.DKIM.KeyPath(i), "%v", err))
		}
	}
	return faults
}

// readSecret gives the trimmed content of a file. Only a regular file is
// read: a pipe or a device could keep the daemon waiting.
func readSecret(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	if err != nil {
		return "", err
	}
	if len(text) > maxSecret {
		return "", errors.New(path + " is too long for a secret")
	}
	return strings.TrimSpace(string(text)), nil
}
