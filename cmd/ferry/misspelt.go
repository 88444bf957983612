package main

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"ferry/internal/config"
	"ferry/internal/nearest"
)

// misspelt is an error of the parser for people: what they most likely meant, and where
// help is. The parser itself takes words of three letters for near that have one in
// common.
func misspelt(err error) error {
	wrong := (*kong.ParseError)(nil)
	if !errors.As(err, &wrong) {
		return err
	}
	said, _, _ := strings.Cut(err.Error(), ", did you mean")
	at := wrong.Context.Model.Node
	if selected := wrong.Context.Selected(); selected != nil {
		at = selected
	}
	if meant := meantBy(said, at); meant != "" {
		said += ", did you mean \"" + meant + "\"?"
	}
	return config.Usagef("%s (see: %s --help)", said, pathOf(at))
}

// pathOf is a command as it is typed, without its aliases.
func pathOf(n *kong.Node) string {
	if n.Parent == nil {
		return n.Name
	}
	return pathOf(n.Parent) + " " + n.Name
}

// meantBy is what stands in the place of the word that the parser did not know behind
// the command at; "": nothing is near.
func meantBy(said string, at *kong.Node) string {
	if flag, ok := strings.CutPrefix(said, "unknown flag "); ok {
		var known []string
		for _, group := range at.AllFlags(true) {
			for _, f := range group {
				known = append(known, "--"+f.Name)
			}
		}
		if len(at.Positional) > 0 && at.Positional[0].Name == "dir" && slices.Contains(directoriesElsewhere(), flag) {
			return pathOf(at) + " DIR" // as it is typed
		}
		return meant(flag, known, flagsElsewhere())
	}
	if word, ok := strings.CutPrefix(said, "unexpected argument "); ok {
		var known []string
		aliases := commandsElsewhere()
		for _, child := range at.Children {
			known = append(known, child.Name)
			for _, alias := range child.Aliases {
				aliases[alias] = child.Name
			}
		}
		return meant(word, known, aliases)
	}
	return ""
}

// commandsElsewhere are what other programs call their commands, and ours for them.
func commandsElsewhere() map[string]string {
	return map[string]string{"ls": "list", "mod": "set", "modify": "set", "edit": "set", "change": "set", "update": "set",
		"create": "add", "new": "add", "adduser": "add", "useradd": "add", "info": "show", "get": "show", "cat": "show",
		"password": "passwd", "pw": "passwd", "start": "serve", "run": "serve", "server": "serve", "validate": "check", "test": "check"}
}

// directoriesElsewhere are flags of other servers for what ours takes without one.
func directoriesElsewhere() []string { return []string{"--root", "--dir", "--directory", "--path"} }

// flagsElsewhere are flags that other servers have, and ours for them.
func flagsElsewhere() map[string]string {
	return map[string]string{"--port": "--ftp", "--listen": "--ftp", "--address": "--ftp", "--bind": "--ftp",
		"--password": "--password-stdin", "--passive": "--passive-ports", "--tls": "--cert", "--verbose": "--log-level",
		"--root": "--home", "--dir": "--home", "--directory": "--home", "--path": "--home"}
}

// meant looks among known, then among the words that stand for one of them elsewhere.
func meant(word string, known []string, elsewhere map[string]string) string {
	for _, k := range known {
		if strings.HasPrefix(k, word) {
			return k
		}
	}
	if ours := elsewhere[word]; slices.Contains(known, ours) {
		return ours
	}
	all := slices.Clone(known)
	for _, other := range slices.Sorted(maps.Keys(elsewhere)) {
		if slices.Contains(known, elsewhere[other]) {
			all = append(all, other)
		}
	}
	meant := nearest.Of(word, all)
	if ours := elsewhere[meant]; ours != "" {
		return ours
	}
	return meant
}
