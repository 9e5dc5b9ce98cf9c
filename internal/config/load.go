package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// Env looks up an environment variable, as os.LookupEnv does.
type Env = func(name string) (value string, ok bool)

// Load reads the configuration file at path. Its faults are Faults.
func Load(path string, env Env) (*Config, error) {
	src, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; run \"tidings init\" to make a configuration, or name another file with --config", err)
	}
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return parse(path, filepath.Dir(abs), src, env)
}

// Parse reads a configuration that was found under name: relative paths in it
// start at the folder of name, and name is shown in faults. The files of
// secrets (password_file, url_file) are read. The error is Faults, holding
// every fault at once. A nil env has no variables.
func Parse(name string, src []byte, env Env) (*Config, error) {
	return parse(name, filepath.Dir(name), src, env)
}

func parse(name, dir string, src []byte, env Env) (*Config, error) {
	body, fault := parseYAML(name, src)
	if fault != nil {
		return nil, Faults{*fault}
	}
	d := &decoder{origin: origin{file: name, at: map[string]position{}}, env: env}
	d.targets = d.resolveAliases(body)
	c := defaults()
	if body != nil {
		d.document(body, c)
	}
	c.origin = d.origin
	resolvePaths(reflect.ValueOf(c).Elem(), dir)
	faults := slices.Concat(d.faults, c.readSecrets(), c.contradictions())
	if len(faults) > 0 {
		return nil, faults.sorted()
	}
	c.resolveDatabase(dir)
	c.trimAddresses()
	c.derive()
	return c, nil
}

// document decodes the whole file, which must be a mapping.
func (d *decoder) document(body ast.Node, c *Config) {
	if _, ok := d.follow(body).(*ast.MappingNode); !ok {
		d.fault(placeOf(body), "", "expected a mapping such as \"site: …\" at the top of the file, got %s", d.describe(body))
		return
	}
	d.section(body, "", reflect.ValueOf(c).Elem())
}
