package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"
)

// commands are the subcommands, in the order of the help.
var commands = []func(*app) *cobra.Command{newShotCmd, newInspectCmd, newVersionCmd}

// Exit codes of the program.
const (
	exitOK      = 0
	exitFailure = 1 // what was asked for failed
	exitUsage   = 2 // it was not understood what was asked for
)

// app is the outside as commands see it.
type app struct {
	out, err io.Writer
	tty      bool // err is a terminal
	log      *slog.Logger

	logLevel string
	jsonLog  bool
}

// usageError is a command line that makes no sense.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// hintError is an error with advice on what to do about it.
type hintError struct {
	error
	hint string
}

func (e hintError) Unwrap() error { return e.error }

// run runs the program with arguments and returns its exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.newRootCmd()
	root.SetArgs(append([]string{}, args...)) // nil would mean the process's own
	root.SetOut(a.out)
	root.SetErr(a.err)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(a.err, "spiceecs: %v\n", err)
	if hint := (hintError{}); errors.As(err, &hint) {
		fmt.Fprintf(a.err, "hint: %s\n", hint.hint)
	}
	if errors.As(err, &usageError{}) {
		fmt.Fprintf(a.err, "hint: '%s --help' shows how to use it\n", cmd.CommandPath())
		return exitUsage
	}
	return exitFailure
}

func (a *app) newRootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:   "spiceecs",
		Short: "SPICE server engine: serve, inspect and photograph remote displays",
		Long: `spiceecs takes QXL commands from a virtual machine's graphics device and shows
the picture to remote clients over the SPICE protocol.`,
		Example: `  spiceecs inspect desktop.rec.zst
  spiceecs shot localhost:5900 screen.png
  source <(spiceecs completion bash)`,
		SilenceUsage: true, SilenceErrors: true,
		SuggestionsMinimumDistance: 2,
		Args:                       a.noSuchCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE:          func(*cobra.Command, []string) error { return a.openLog() },
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.logLevel, "log-level", "warn", "least severity that is logged: debug, info, warn or error")
	flags.BoolVar(&a.jsonLog, "json-log", false, "log lines of JSON instead of text")
	levels := cobra.FixedCompletions([]string{"debug", "info", "warn", "error"}, cobra.ShellCompDirectiveNoFileComp)
	if err := root.RegisterFlagCompletionFunc("log-level", levels); err != nil {
		panic(err) // the flag was defined three lines above
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	for _, c := range commands {
		root.AddCommand(c(a))
	}
	return root
}

// noSuchCommand refuses arguments that are no command.
func (a *app) noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("unknown command %q", args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		err = fmt.Errorf("%w, did you mean %s?", err, strings.Join(near, " or "))
	}
	return usageError{err}
}

// usageArgs makes complaints about arguments usage errors.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}

// openLog makes the log that the flags ask for.
func (a *app) openLog() error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(a.logLevel)); err != nil {
		return usageError{fmt.Errorf("--log-level %q: it is one of debug, info, warn and error", a.logLevel)}
	}
	opts := &slog.HandlerOptions{Level: level}
	if a.jsonLog {
		a.log = slog.New(slog.NewJSONHandler(a.err, opts))
	} else {
		a.log = slog.New(slog.NewTextHandler(a.err, opts))
	}
	return nil
}
