package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersionCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Tell which build this is",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			info, _ := debug.ReadBuildInfo()
			_, err := fmt.Fprintln(a.out, versionLine(info))
			return err
		},
	}
}

// versionLine describes a build: version, revision, and what built it.
func versionLine(info *debug.BuildInfo) string {
	if info == nil {
		return "spiceecs (built without module information)"
	}
	line := "spiceecs " + info.Main.Version
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			line += " " + s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			line += " (modified)"
		}
	}
	return fmt.Sprintf("%s, %s, %s/%s", line, info.GoVersion, runtime.GOOS, runtime.GOARCH)
}
