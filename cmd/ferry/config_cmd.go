package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"ferry/internal/config"
	"ferry/internal/daemon"
)

// configCmd is `ferry config ...`.
type configCmd struct {
	Check   configCheckCmd   `cmd:"" help:"Read a config file and say what is wrong with it."`
	Example configExampleCmd `cmd:"" help:"Print a config file with every key, its comment and its default."`
	Show    configShowCmd    `cmd:"" help:"Print what is in effect, and where each value comes from."`
}

type configCheckCmd struct {
	configFlags
	File string `arg:"" optional:"" placeholder:"FILE" type:"path" help:"The config file; the same as --config FILE."`
}

func (cmd *configCheckCmd) Run(c console, k *kong.Context) error {
	if cmd.File != "" && cmd.Config != "" {
		return config.Usagef("two config files, %s and %s: name one", cmd.File, cmd.Config)
	}
	file := cmd.File + cmd.Config
	if file == "" {
		return config.Usagef("no config file to check: name one")
	}
	conf, err := daemon.Load(file, flagsGiven(k), os.Getenv("FERRY_PASSWORD"))
	if err != nil {
		return err
	}
	for _, note := range conf.Notes {
		c.note("ferry: note: %v", note)
	}
	for _, warning := range conf.Warnings {
		c.note("ferry: warning: %v", warning)
	}
	if n := len(conf.Warnings); n > 0 {
		return fmt.Errorf("%s: nothing is wrong, and %d to be mended: ferry serve would begin", file, n)
	}
	return c.print("%s: good", file)
}

type configExampleCmd struct{}

func (*configExampleCmd) Run(c console) error {
	preset, err := config.Preset()
	if err != nil {
		return err
	}
	return c.print("%s", strings.TrimSuffix(config.Example(preset), "\n"))
}

type configShowCmd struct {
	configFlags
	Dir  string `arg:"" optional:"" placeholder:"DIR" help:"The directory to serve."`
	JSON bool   `help:"Print JSON."`
}

// Run prints the effective configuration as a config file, each line with its
// source. Passwords and hashes are not shown.
func (cmd *configShowCmd) Run(c console, k *kong.Context) error {
	if err := directory(cmd.Dir); err != nil {
		return err
	}
	conf, err := config.Load(cmd.Config, flagsGiven(k))
	if err != nil {
		return err
	}
	if cmd.JSON {
		return showJSON(conf, c)
	}
	config.EachSection(func(section, _ string, rows []config.Key) {
		c.print("[%s]", section)
		for _, k := range rows {
			setting := fmt.Sprintf("%s = %s", config.LastWord(k.Name), k.At(conf).Toml())
			c.print("%-50s # %s", setting, conf.Source(k.Name))
		}
		c.print("")
	})
	if !conf.Storage.Durable {
		c.note("durable = false: uploads acknowledged in the last seconds before a power failure may be lost.")
	}
	return nil
}

// directory tells who has put a config file in the place of the directory what to do.
func directory(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.Mode().IsRegular() {
		return config.Usagef("%s is a file, and not a directory to serve: for a config file, say --config %[1]s", dir)
	}
	return nil
}

func showJSON(c *config.Config, to console) error {
	type setting struct {
		Key    string `json:"key"`
		Value  string `json:"value"` // as a config file writes it
		Source string `json:"source"`
	}
	all := []setting{}
	for _, k := range config.Keys() {
		all = append(all, setting{k.Name, k.At(c).Toml(), c.Source(k.Name)})
	}
	return printJSON(to, all)
}

func printJSON(to console, v any) error {
	enc := json.NewEncoder(to.out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
