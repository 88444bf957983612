package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"
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
		return usagef("two config files, %s and %s: name one", cmd.File, cmd.Config)
	}
	file := cmd.File + cmd.Config
	if file == "" {
		return usagef("no config file to check: name one")
	}
	conf, err := loadConfig(file, flagsGiven(k))
	if err != nil {
		return err
	}
	if err := conf.checkCertificates(); err != nil {
		return err
	}
	if err := conf.checkHostKeys(); err != nil {
		return err
	}
	if err := conf.checkTrust(); err != nil {
		return err
	}
	return c.print("%s: good", file)
}

type configExampleCmd struct{}

func (*configExampleCmd) Run(c console) error {
	preset, err := presetConfig()
	if err != nil {
		return err
	}
	return c.print("%s", strings.TrimSuffix(exampleConfig(preset), "\n"))
}

// exampleConfig is a config file with every key commented out at its default,
// so that a key is set by taking away one "#".
func exampleConfig(preset *config) string {
	var b strings.Builder
	b.WriteString("# Ferry's configuration. Every key is shown with its default.\n")
	eachSection(func(section, headline string, rows []key) {
		fmt.Fprintf(&b, "\n# %s\n[%s]\n", headline, section)
		for _, k := range rows {
			fmt.Fprintf(&b, "\n# %s\n", strings.ReplaceAll(k.comment, "\n", "\n# "))
			if k.flag != "" {
				fmt.Fprintf(&b, "# Flag: %s\n", k.flag)
			}
			fmt.Fprintf(&b, "#%s = %s\n", lastWord(k.name), k.at(preset).toml())
		}
	})
	return b.String()
}

type configShowCmd struct {
	configFlags
	Dir  string `arg:"" optional:"" placeholder:"DIR" help:"The directory to serve."`
	JSON bool   `help:"Print JSON."`
}

// Run prints the effective configuration as a config file, each line with its
// source. Passwords and hashes are not shown.
func (cmd *configShowCmd) Run(c console, k *kong.Context) error {
	if info, err := os.Stat(cmd.Dir); err == nil && info.Mode().IsRegular() {
		return usagef("%s is a file, and not a directory to serve: for a config file, say --config %s", cmd.Dir, cmd.Dir)
	}
	conf, err := loadConfig(cmd.Config, flagsGiven(k))
	if err != nil {
		return err
	}
	if cmd.JSON {
		return conf.showJSON(c)
	}
	eachSection(func(section, _ string, rows []key) {
		c.print("[%s]", section)
		for _, k := range rows {
			setting := fmt.Sprintf("%s = %s", lastWord(k.name), k.at(conf).toml())
			c.print("%-50s # %s", setting, conf.source(k.name))
		}
		c.print("")
	})
	if !conf.Storage.Durable {
		c.note("durable = false: uploads acknowledged in the last seconds before a power failure may be lost.")
	}
	return nil
}

func (c *config) showJSON(to console) error {
	type setting struct {
		Key    string `json:"key"`
		Value  string `json:"value"` // as a config file writes it
		Source string `json:"source"`
	}
	all := []setting{}
	for _, k := range keys() {
		all = append(all, setting{k.name, k.at(c).toml(), c.source(k.name)})
	}
	return printJSON(to, all)
}

// source says where a key was set.
func (c *config) source(name string) string {
	if from, ok := c.from[name]; ok {
		return from
	}
	return "default"
}

// eachSection calls do for each section, with its rows of the table of keys.
func eachSection(do func(section, headline string, rows []key)) {
	for _, s := range sections() {
		var rows []key
		for _, k := range keys() {
			if strings.HasPrefix(k.name, s[0]+".") {
				rows = append(rows, k)
			}
		}
		do(s[0], s[1], rows)
	}
}

// configDocs is docs/configuration.md.
func configDocs(preset *config) string {
	var b strings.Builder
	b.WriteString(`# Configuration

<!-- Made from the table in cmd/ferry/keys.go by ` + "`make docs`" + `: change it there. -->

` + "`ferry serve`" + ` needs no configuration file. With one (` + "`--config FILE`" + `), the file is TOML, read
strictly: an unknown key, a wrong type or a contradiction is an error that names the line. Flags override the file.

- ` + "`ferry config example`" + ` prints a file with every key and its default.
- ` + "`ferry config check FILE`" + ` says what is wrong with a file.
- ` + "`ferry config show --config FILE`" + ` prints what is in effect, and where each value comes from.

Sizes are bytes, ` + "`\"500kB\"`, `\"10MiB\"` or `\"1GiB\"`" + `; time spans ` + "`\"30s\"`, `\"15m\"` or `\"24h\"`" + `. Paths of the host are absolute.
`)
	eachSection(func(section, headline string, rows []key) {
		fmt.Fprintf(&b, "\n## [%s]\n\n%s\n\n| key | default | type | flag | meaning |\n|---|---|---|---|---|\n", section, headline)
		for _, k := range rows {
			fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s |\n", lastWord(k.name), k.at(preset).toml(), k.at(preset).kind(),
				inCode(k.flag), strings.ReplaceAll(k.comment, "\n", " "))
		}
	})
	return b.String()
}

func inCode(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func printJSON(to console, v any) error {
	enc := json.NewEncoder(to.out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
