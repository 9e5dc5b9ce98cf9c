package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version gives the module's version, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "devel-" + s.Value[:min(12, len(s.Value))]
		}
	}
	return "devel"
}

func versionCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			if a.json {
				return printJSON(a.out, map[string]string{"version": version(), "go": runtime.Version()})
			}
			a.say("tidings %s (%s)", version(), runtime.Version())
			return nil
		},
	}
	a.jsonFlag(cmd)
	return cmd
}
