package config

import (
	"fmt"
	"strings"
)

// Example is a config file with every key commented out at its default,
// so that a key is set by taking away one "#".
func Example(preset *Config) string {
	var b strings.Builder
	b.WriteString("# Ferry's configuration. Every key is shown with its default.\n")
	EachSection(func(section, headline string, rows []Key) {
		fmt.Fprintf(&b, "\n# %s\n[%s]\n", headline, section)
		for _, k := range rows {
			fmt.Fprintf(&b, "\n# %s\n", strings.ReplaceAll(k.comment, "\n", "\n# "))
			if k.Flag != "" {
				fmt.Fprintf(&b, "# Flag: %s\n", k.Flag)
			}
			if !k.Live {
				b.WriteString("# A change needs a restart.\n")
			}
			fmt.Fprintf(&b, "#%s = %s\n", LastWord(k.Name), k.At(preset).Toml())
		}
	})
	return b.String()
}

// Source says where a key was set.
func (c *Config) Source(name string) string {
	if from, ok := c.from[name]; ok {
		return from
	}
	return "default"
}

// EachSection calls do for each section, with its rows of the table of keys.
func EachSection(do func(section, headline string, rows []Key)) {
	for _, s := range sections() {
		var rows []Key
		for _, k := range Keys() {
			if strings.HasPrefix(k.Name, s[0]+".") {
				rows = append(rows, k)
			}
		}
		do(s[0], s[1], rows)
	}
}

// Docs is docs/configuration.md.
func Docs(preset *Config) string {
	var b strings.Builder
	b.WriteString(`# Configuration

<!-- Made from the table in internal/config/keys.go by ` + "`make docs`" + `: change it there. -->

` + "`ferry serve`" + ` needs no configuration file. With one (` + "`--config FILE`" + `), the file is TOML, read
strictly: an unknown key, a wrong type or a contradiction is an error that names the line. Flags override the file.

- ` + "`ferry config example`" + ` prints a file with every key and its default.
- ` + "`ferry config check FILE`" + ` says all that is wrong with a file, and with what it names. Exit code 0: good; 1: to be mended; 2: to be written differently.
- ` + "`ferry config show --config FILE`" + ` prints what is in effect, and where each value comes from.

A running server reads the file again on SIGHUP (` + "`systemctl reload ferry`" + `). It is checked as by ` + "`ferry config check`" + ` first: where
anything is wrong, nothing changes, and the log says what. A change of a key that is *live* takes effect then: limits, rights and
users also for the sessions that run, the rest for connections that begin. The log names the keys that have changed, and
those that need a restart.

Sizes are bytes, ` + "`\"500kB\"`, `\"10MiB\"` or `\"1GiB\"`" + `; time spans ` + "`\"30s\"`, `\"15m\"` or `\"24h\"`" + `. Paths of the host are absolute.
`)
	EachSection(func(section, headline string, rows []Key) {
		fmt.Fprintf(&b, "\n## [%s]\n\n%s\n\n| key | default | type | flag | live | meaning |\n|---|---|---|---|---|---|\n", section, headline)
		for _, k := range rows {
			fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s | %s |\n", LastWord(k.Name), k.At(preset).Toml(), k.At(preset).Kind(),
				inCode(k.Flag), map[bool]string{true: "yes", false: "no"}[k.Live], strings.ReplaceAll(k.comment, "\n", " "))
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
