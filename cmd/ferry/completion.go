package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// completionCmd is `ferry completion SHELL`.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help says what to do with the output.
func (*completionCmd) Help() string {
	return "bash:  source <(ferry completion bash)\n" +
		"zsh:   source <(ferry completion zsh)\n" +
		"fish:  ferry completion fish | source"
}

func (cmd *completionCmd) Run(c console, k *kong.Context) error {
	var tree []commandWords
	walkCommands(k.Model.Node, "", &tree)
	switch cmd.Shell {
	case "bash":
		return c.print("%s", bashCompletion(tree))
	case "zsh":
		// zsh reads bash's completion functions through bashcompinit.
		return c.print("autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n%s", bashCompletion(tree))
	}
	return c.print("%s", fishCompletion(tree))
}

// commandWords is what may follow one command: its subcommands and flags.
type commandWords struct {
	path  string // "", " user", " user add"
	words []word
}

type word struct {
	text, help string
	takesValue bool
}

func walkCommands(n *kong.Node, path string, tree *[]commandWords) {
	at := commandWords{path: path}
	for _, child := range n.Children {
		at.words = append(at.words, word{text: child.Name, help: child.Help})
	}
	for _, flag := range n.Flags {
		at.words = append(at.words, word{text: "--" + flag.Name, help: flag.Help, takesValue: !flag.IsBool()})
	}
	for _, arg := range n.Positional {
		for _, choice := range arg.EnumSlice() {
			if choice != "" {
				at.words = append(at.words, word{text: choice, help: arg.Help})
			}
		}
	}
	*tree = append(*tree, at)
	for _, child := range n.Children {
		walkCommands(child, path+" "+child.Name, tree)
	}
}

// bashCompletion walks the words before the cursor down the tree of commands,
// then offers what may follow; where nothing does, bash offers files.
func bashCompletion(tree []commandWords) string {
	var down, offer strings.Builder
	for _, at := range tree {
		var words []string
		for _, w := range at.words {
			words = append(words, w.text)
		}
		if at.path != "" {
			fmt.Fprintf(&down, "      '%s') at=\"$at $word\" ;;\n", at.path)
		}
		fmt.Fprintf(&offer, "    '%s') words='%s' ;;\n", at.path, strings.Join(words, " "))
	}
	return `_ferry() {
  local at= word words=
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at $word" in
` + down.String() + `    esac
  done
  case "$at" in
` + offer.String() + `  esac
  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _ferry ferry`
}

func fishCompletion(tree []commandWords) string {
	var b strings.Builder
	for _, at := range tree {
		for _, w := range at.words {
			fmt.Fprintf(&b, "complete -c ferry -n '%s' %s -d '%s'\n", fishCondition(at), fishWord(w), fishQuote(w.help))
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// fishCondition holds where at's words may stand: after every word of its path,
// and for commands before any of its subcommands.
func fishCondition(at commandWords) string {
	var conditions []string
	for _, command := range strings.Fields(at.path) {
		conditions = append(conditions, "__fish_seen_subcommand_from "+command)
	}
	var subcommands []string
	for _, w := range at.words {
		if !strings.HasPrefix(w.text, "--") {
			subcommands = append(subcommands, w.text)
		}
	}
	if len(subcommands) > 0 {
		conditions = append(conditions, "not __fish_seen_subcommand_from "+strings.Join(subcommands, " "))
	}
	if len(conditions) == 0 {
		return "true"
	}
	return strings.Join(conditions, "; and ")
}

func fishWord(w word) string {
	name, isFlag := strings.CutPrefix(w.text, "--")
	switch {
	case !isFlag:
		return "-f -a " + name
	case w.takesValue:
		return "-r -l " + name
	}
	return "-l " + name
}

func fishQuote(s string) string {
	return strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s)
}
