package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tidings/internal/config"
	"tidings/internal/digest"
	"tidings/internal/page"
	"tidings/internal/tmpl"
	"tidings/templates"
)

func templatesCommand(a *app) *cobra.Command {
	list := &cobra.Command{
		Use: "list", Short: "List every template, what it is, and whether it is your own",
		Args: noArgs, RunE: func(*cobra.Command, []string) error { return a.listTemplates() },
	}
	eject := &cobra.Command{
		Use: "eject [NAME…]", Short: "Copy built-in templates to templates.dir, to change them there",
		Long: "Copies files, or all files of folders, to the folder templates.dir. Without a name it\n" +
			"copies everything; but copy only what you change, since what you have a copy of does not\n" +
			"improve with new versions. It overwrites nothing.",
		RunE: func(_ *cobra.Command, given []string) error { return a.ejectTemplates(given) },
	}
	a.jsonFlag(list)
	a.jsonFlag(eject)
	return group("templates", "Your own mails and pages", list, eject)
}

// templateJSON is a template as scripts see it.
type templateJSON struct {
	Name  string `json:"name"`
	About string `json:"about"`
	Own   bool   `json:"own"`
	File  string `json:"file"` // of the user's; "" if the built-in one is used
}

// listTemplates works with faulty templates too.
func (a *app) listTemplates() error {
	if err := a.loadPlainConfig(); err != nil {
		return err
	}
	all := []templateJSON{}
	for _, f := range templates.Files() {
		t := templateJSON{Name: f.Name, About: f.About}
		if file := a.ownTemplate(f.Name); exists(file) {
			t.Own, t.File = true, file
		}
		all = append(all, t)
	}
	if a.json {
		return printJSON(a.out, all)
	}
	t := newTable(a.out, "NAME", "USED", "WHAT IT IS")
	for _, x := range all {
		used := "built-in"
		if x.Own {
			used = "own"
		}
		t.row(x.Name, used, x.About)
	}
	return t.flush()
}

// ownTemplate gives where the user's file of a name is, or would be; "" without
// a folder for them.
func (a *app) ownTemplate(name string) string {
	if a.cfg.Templates.Dir == "" {
		return ""
	}
	return filepath.Join(a.cfg.Templates.Dir, filepath.FromSlash(name))
}

func exists(file string) bool {
	_, err := os.Lstat(file)
	return file != "" && err == nil
}

func (a *app) ejectTemplates(given []string) error {
	if err := a.loadPlainConfig(); err != nil {
		return err
	}
	if a.cfg.Templates.Dir == "" {
		return usagef("templates.dir is not set: say in %s where your templates are to be, such as\n\n    templates:\n      dir: templates", a.configFile)
	}
	names, err := chosenTemplates(given)
	if err != nil {
		return err
	}
	var there []string
	for _, name := range names {
		if file := a.ownTemplate(name); exists(file) {
			there = append(there, file)
		}
	}
	if len(there) > 0 {
		return fmt.Errorf("nothing is copied, since these are there already; move them away first, or name others:\n%s", strings.Join(there, "\n"))
	}
	for _, name := range names {
		if err := a.ejectTemplate(name); err != nil {
			return fmt.Errorf("templates eject: %w", err)
		}
	}
	if a.json {
		return printJSON(a.out, names)
	}
	return nil
}

func (a *app) ejectTemplate(name string) error {
	text, err := fs.ReadFile(templates.Builtin(), name)
	if err != nil {
		return err
	}
	file := a.ownTemplate(name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := create(file, text); err != nil {
		return err
	}
	if !a.json {
		a.say("%s written", file)
	}
	return nil
}

// chosenTemplates gives the files that are named, or that are in folders that
// are; without names, all.
func chosenTemplates(given []string) ([]string, error) {
	var names []string
	for _, f := range templates.Files() {
		within := func(name string) bool {
			name = strings.TrimSuffix(filepath.ToSlash(name), "/")
			return f.Name == name || strings.HasPrefix(f.Name, name+"/")
		}
		if len(given) == 0 || slices.ContainsFunc(given, within) {
			names = append(names, f.Name)
		}
	}
	for _, name := range given {
		folder := strings.TrimSuffix(filepath.ToSlash(name), "/")
		if !slices.ContainsFunc(names, func(n string) bool { return n == folder || strings.HasPrefix(n, folder+"/") }) {
			return nil, usagef("there is no template %q; see tidings templates list", name)
		}
	}
	return names, nil
}

// templateFaults gives what is wrong with the user's templates.
func templateFaults(cfg *config.Config) config.Faults {
	dir := cfg.Templates.Dir
	if dir == "" {
		return nil
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return config.Faults{cfg.Fault("templates.dir", dir+" does not exist; make it, or let tidings templates eject NAME do it")}
	case err != nil:
		return config.Faults{cfg.Fault("templates.dir", err.Error())}
	case !info.IsDir():
		return config.Faults{cfg.Fault("templates.dir", dir+" is no folder")}
	}
	_, mails := digest.Parse(templates.Overlay(dir))
	_, pages := page.Load(templates.Overlay(dir), "")
	return locateTemplates(dir, errors.Join(misplaced(dir), mails, pages))
}

// locateTemplates names the files of faults as the user knows them.
func locateTemplates(dir string, err error) config.Faults {
	var faults config.Faults
	for _, f := range tmpl.Faults(err) {
		file := filepath.Join(dir, filepath.FromSlash(f.File))
		if !exists(file) {
			file = "built-in " + f.File
		}
		if f.File == "" {
			file = dir
		}
		faults = append(faults, config.Fault{File: file, Line: f.Line, Column: max(f.Column, 1), Message: f.Message})
	}
	return faults
}

// misplaced finds what lies in the folder where no template is looked for.
func misplaced(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var faults []error
	for _, e := range entries {
		name := e.Name()
		known := []string{"email", "web", "assets", "locales"}
		if strings.HasPrefix(name, ".") || strings.HasPrefix(strings.ToUpper(name), "README") || slices.Contains(known, name) {
			continue
		}
		faults = append(faults, tmpl.Fault{File: name, Message: "nothing is looked for under this name; there are " + strings.Join(known, ", ") + ", with the files of tidings templates list"})
	}
	return errors.Join(faults...)
}
