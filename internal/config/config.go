package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"ferry/internal/nearest"
	"ferry/internal/setting"
	"ferry/internal/tomlkeys"
)

// Config is everything that can be set. Each field belongs to one row of keys.
type Config struct {
	Server struct {
		State string
		User  string
		Grace time.Duration
	}
	FTP struct {
		Address          string
		Greeting         string
		PassivePorts     setting.Ports
		PassiveAddresses []setting.Address
		Active           bool
		ActivePort       string // "auto", "any" or a port
		ForeignData      bool
		EPSVOff          setting.Networks
		ProxyFrom        setting.Networks
		LoginTimeout     time.Duration
		IdleTimeout      time.Duration
		DataTimeout      time.Duration
		Zone             *time.Location
		ModeZ            bool
		RecursiveList    bool
		ListLimit        int
		LooseALLO        bool
		Require          string // "default": config.requireAt says what it means
		Legacy           bool
	}
	FTPS struct {
		Address string
		Require string
		Legacy  bool
	}
	SFTP    sftpConfig
	TLS     tlsConfig
	Hosts   hostsConfig
	Storage struct {
		Root     string
		ReadOnly bool
		Keep     time.Duration
		Durable  bool
		Umask    setting.Octal
		Resolver string
	}
	Users struct {
		Home          string
		Static        []StaticUser
		Anonymous     bool
		AnonymousRoot string
		Drop          string
		Remember      time.Duration
		HashMemory    int64
		HashPasses    int
		Rehash        bool
	}
	System systemConfig
	Limits struct {
		Sessions, PerAddress int
		BeforeLogin          setting.Startups
		OpenFiles            int
		OpenFilesPer         struct{ Connection, User, Address int }
		Upload, Download     int64
		Fails                int
		FailDelay            time.Duration
		BanAfter             int
		BanWindow, BanFor    time.Duration
		NeverBan             setting.Networks
		Stall                time.Duration
	}
	Log struct {
		Format         string
		Level          string
		TransferLog    string
		TransferFormat string
	}

	// File is the config file that was read, or "".
	File string
	// from says where each key that is not at its default was set:
	// "FILE:LINE", or the flag.
	from map[string]string
	// unread are the keys whose value could not be taken.
	unread map[string]bool
	// Warnings are about what works and should be mended, Notes about what may be
	// missing yet: each one line that says where.
	Warnings, Notes []error
}

// Load puts together the presets, the file and the flags, in this order, and holds
// what comes out against the table of checks: contradictions, and more, which looks at
// what a configuration alone cannot tell.
//
// The error says all that is wrong, a line each, in the order of the file; each line
// says where. It matches UsageError where the configuration must be written differently,
// and does not where the machine is to blame. What works and should be mended is in
// Config.Warnings.
func Load(file string, flags map[string]any, more ...Check) (*Config, error) {
	c, err := Preset()
	if err != nil {
		return nil, err
	}
	found, err := c.readFile(file)
	if err != nil {
		return nil, err // nothing more can be said
	}
	found = append(found, c.readFlags(flags)...)
	found = append(found, c.settle()...)
	for _, check := range append(contradictions(), more...) {
		found = append(found, check.run(c)...)
	}
	if wrong := c.sort(found); len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return c, nil
}

// Preset is the configuration without a file and without flags.
func Preset() (*Config, error) {
	c := &Config{from: map[string]string{}, unread: map[string]bool{}}
	for _, k := range Keys() {
		if err := k.At(c).Set(k.preset); err != nil {
			return nil, fmt.Errorf("the preset of %s %w", k.Name, err)
		}
	}
	return c, nil
}

// readFile sets what the TOML file says; "": there is none. An unknown key and a wrong
// type are found, each with the line it stands on; err is that there is nothing to read.
func (c *Config) readFile(file string) (found []error, err error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, Usagef("cannot read the config file: %w; ferry config example prints one to begin with", err)
	}
	doc, err := tomlkeys.Parse(data)
	if err != nil {
		return nil, Usagef("%s:%w", file, err)
	}
	c.File = file
	given := doc.Flat(isSection)
	for _, name := range slices.Sorted(maps.Keys(given)) {
		c.from[name] = fmt.Sprintf("%s:%d", file, doc.Line(name))
		for _, err := range c.setKey(name, given[name]) {
			c.unread[name] = true
			found = append(found, UsageError{&problem{where: c.from[name], line: doc.Line(name), text: err}})
		}
	}
	return found, nil
}

// readFlags sets what the flags say.
func (c *Config) readFlags(flags map[string]any) (found []error) {
	for _, k := range Keys() {
		given, ok := flags[k.Flag]
		if !ok || k.Flag == "" {
			continue
		}
		c.from[k.Name] = k.Flag
		delete(c.unread, k.Name) // for the checks: a fault of the file is told of all the same
		err := k.At(c).Set(given)
		if given == "" {
			// Most likely a shell variable that is not set: the default, or
			// the current directory, would be a surprise.
			err = errors.New("is given and empty: leave it out, or say what")
		}
		for _, err := range faults(err) {
			c.unread[k.Name] = true
			found = append(found, c.Wrong(k.Name, "%w", err))
		}
	}
	return found
}

func (c *Config) setKey(name string, v any) (found []error) {
	for _, k := range Keys() {
		if k.Name == name {
			for _, err := range faults(k.At(c).Set(v)) {
				found = append(found, fmt.Errorf("%s %w", name, err))
			}
			return found
		}
	}
	if best := nearestKey(name); best != "" {
		return []error{fmt.Errorf("unknown key %q: did you mean %q?", name, best)}
	}
	return []error{fmt.Errorf("unknown key %q: ferry config example shows every key", name)}
}

func isSection(name string) bool {
	return slices.ContainsFunc(sections(), func(s [2]string) bool { return s[0] == name })
}

// nearestKey is the key that a person who wrote name most likely meant: the
// same word in another section, or one that is near. "" where nothing is.
func nearestKey(name string) string {
	var names []string
	for _, k := range Keys() {
		if LastWord(k.Name) == LastWord(name) {
			return k.Name
		}
		names = append(names, k.Name)
	}
	return nearest.Of(strings.ReplaceAll(name, "-", "_"), names)
}

func LastWord(name string) string {
	return name[strings.LastIndexByte(name, '.')+1:]
}
