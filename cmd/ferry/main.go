// Command ferry is the file-transfer server and its tools.
//
// main.go reads the command line; every subcommand has a file of its own. The
// configuration is package config, the server package daemon.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"ferry/internal/config"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // the command line or the config file is wrong
)

// cli is the tree of subcommands; kong fills it, and calls Run of the one that
// was named.
type cli struct {
	Serve      serveCmd      `cmd:"" help:"Serve a directory over FTP, FTPS and SFTP."`
	Config     configCmd     `cmd:"" help:"Check the configuration, or show it."`
	User       userCmd       `cmd:"" help:"Manage the users in the server's database."`
	Quota      quotaCmd      `cmd:"" help:"Show what the homes of users hold, or have them counted."`
	Import     importCmd     `cmd:"" help:"Take over the users of another server."`
	Hash       hashCmd       `cmd:"" help:"Print the hash of a password, for a config file or ferry user add."`
	SFTPServer sftpServerCmd `cmd:"" name:"sftp-server" help:"Speak SFTP on stdin and stdout, as OpenSSH's sftp-server does."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
	Completion completionCmd `cmd:"" help:"Print a completion script for a shell."`
	Help       helpCmd       `cmd:"" help:"Show what a command does, and its flags."`

	ShowVersion kong.VersionFlag `name:"version" help:"Print the version."`
}

func main() {
	os.Exit(run(arguments(os.Args), console{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}

// arguments are those behind the name of the program. Under the name of OpenSSH's
// sftp-server it is that, so that a link can stand in its place: scp -D runs a program
// without arguments of one's own.
func arguments(args []string) []string {
	if filepath.Base(args[0]) != "sftp-server" {
		return args[1:]
	}
	return append([]string{"sftp-server"}, args[1:]...)
}

// console is where a command talks to a person or a script.
type console struct {
	in, out, err *os.File
}

// run is the whole program but for the exit.
func run(args []string, c console) int {
	parser, err := newParser(c)
	if err != nil {
		return c.fail(err)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return c.fail(misspelt(err))
	}
	return c.fail(parsed.Run(c, parsed))
}

func newParser(c console) (*kong.Kong, error) {
	return kong.New(&cli{},
		kong.Name("ferry"),
		kong.Description("A file-transfer server: FTP and SFTP on your files, whole or not there."),
		kong.Writers(c.out, c.err),
		kong.Vars{"version": buildOf().String()},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
}

// fail prints err, a line for each thing that is wrong, and chooses the exit code.
func (c console) fail(err error) int {
	if err == nil {
		return exitDone
	}
	within(func() {
		for line := range strings.Lines(err.Error()) {
			fmt.Fprintf(c.err, "ferry: %s\n", strings.TrimSuffix(line, "\n"))
		}
	})
	if errors.As(err, new(config.UsageError)) {
		return exitUsage
	}
	return exitFailed
}

// within runs f, and goes on after two seconds if that has not ended: a standard error
// that nobody reads must not keep the process.
func within(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(2 * time.Second):
	}
}

// note prints a line for the person that is not the command's output.
func (c console) note(format string, args ...any) {
	fmt.Fprintf(c.err, format+"\n", args...)
}

// print writes the command's output.
func (c console) print(format string, args ...any) error {
	_, err := fmt.Fprintf(c.out, format+"\n", args...)
	return err
}
