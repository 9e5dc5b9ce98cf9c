package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"tidings/internal/config"
)

func initCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a commented config.yaml and a first post",
		Args:  args(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, given []string) error {
			dir := "."
			if len(given) == 1 {
				dir = given[0]
			}
			return a.init(dir)
		},
	}
}

const firstPost = `---
title: Hello
date: %s
categories: [News]
tags: [hello]
---

This is the first post. Change this file, save it, and look at the feeds.

<!--more-->

Everything after the mark above is left out of the summary.
`

// init writes the starter files; it changes none that exist.
func (a *app) init(dir string) error {
	files := []struct {
		name string
		text []byte
	}{
		{"config.yaml", config.Starter()},
		{filepath.Join("posts", "hello.md"), fmt.Appendf(nil, firstPost, a.clock.Now().UTC().Format("2006-01-02T15:04:05Z07:00"))},
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("init: %w", err)
		}
		if err := create(path, f.text); errors.Is(err, fs.ErrExist) {
			a.say("%s is there already, left as it is", path)
		} else if err != nil {
			return fmt.Errorf("init: %w", err)
		} else {
			a.say("%s written", path)
		}
	}
	a.say("Next: tidings --config %s serve", filepath.Join(dir, "config.yaml"))
	return nil
}

func create(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
