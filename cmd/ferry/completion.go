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

// Help says what to do with the output. Lines that are set in stay as they are.
func (*completionCmd) Help() string {
	return "For this shell, and in what it reads at its start for the next ones:\n\n" +
		"  bash:  source <(ferry completion bash)\n" +
		"  zsh:   source <(ferry completion zsh)\n" +
		"  fish:  ferry completion fish | source"
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

// commandWords is what may follow one command: its subcommands and flags, and the
// names of users.
type commandWords struct {
	path  string // "", " user", " user add"
	words []word
	users bool
}

type word struct {
	text, help string
	takesValue bool
	values     []string // of a flag, where they are few
}

func walkCommands(n *kong.Node, path string, tree *[]commandWords) {
	at := commandWords{path: path}
	for _, child := range n.Children {
		at.words = append(at.words, word{text: child.Name, help: child.Help})
	}
	for _, flag := range n.Flags {
		at.words = append(at.words, word{text: "--" + flag.Name, help: flag.Help, takesValue: !flag.IsBool(), values: wordsOf(flag.Tag)})
	}
	for _, arg := range n.Positional {
		for _, choice := range arg.EnumSlice() {
			if choice != "" {
				at.words = append(at.words, word{text: choice, help: arg.Help})
			}
		}
		at.users = at.users || arg.Tag.Has("user")
	}
	*tree = append(*tree, at)
	for _, child := range n.Children {
		walkCommands(child, path+" "+child.Name, tree)
	}
}

// wordsOf are those of a tag; nil: there are none, or any will do.
func wordsOf(tag *kong.Tag) []string {
	return strings.FieldsFunc(tag.Get("words"), func(r rune) bool { return r == ',' })
}

// bashCompletion walks the words before the cursor down the tree of commands,
// then offers what may follow; where nothing does, bash offers files.
func bashCompletion(tree []commandWords) string {
	var down, values, offer strings.Builder
	var anything []string // flags that take what is not known here
	for _, at := range tree {
		var words []string
		for _, w := range at.words {
			words = append(words, w.text)
			switch {
			case w.takesValue && len(w.values) == 0:
				anything = append(anything, "'"+at.path+" "+w.text+"'")
			case w.takesValue:
				fmt.Fprintf(&values, "    '%s %s') words='%s' ;;\n", at.path, w.text, strings.Join(w.values, " "))
			}
		}
		if at.path != "" {
			fmt.Fprintf(&down, "      '%s') at=\"$at $word\" ;;\n", at.path)
		}
		users := ""
		if at.users {
			users = " users=1"
		}
		fmt.Fprintf(&offer, "        '%s') words='%s'%s ;;\n", at.path, strings.Join(words, " "), users)
	}
	return `_ferry() {
  local i at= word words= users= current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" value
  local -a state=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${COMP_WORDS[i]}" value="${COMP_WORDS[i+1]}"
    [ "$value" != = ] || value="${COMP_WORDS[i+2]}" # bash splits --flag=value in three
    case "$word" in
      --state|--config) state=("$word" "${value/#\~/$HOME}") ;;
    esac
    case "$at $word" in
` + down.String() + `    esac
  done
  if [ "$current" = = ]; then
    current=
  elif [ "$before" = = ]; then
    before="${COMP_WORDS[COMP_CWORD-2]}"
  fi
  case "$at $before" in
    ` + strings.Join(anything, "|") + `) ;;
` + values.String() + `    *)
      case "$at" in
` + offer.String() + `      esac ;;
  esac
  if [ -n "$users" ] && [ "${current:0:1}" != - ]; then
    words="$("${COMP_WORDS[0]}" user list --names "${state[@]}" 2>/dev/null)"
    words="${words//\$/\\\$}" # compgen expands them
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _ferry ferry`
}

func fishCompletion(tree []commandWords) string {
	var b strings.Builder
	for _, at := range tree {
		for _, w := range at.words {
			fmt.Fprintf(&b, "complete -c ferry -n '%s' %s -d '%s'\n", fishCondition(at), fishWord(w), fishQuote(w.help))
		}
		if at.users {
			fmt.Fprintf(&b, "complete -c ferry -n '%s' -f -a '(ferry user list --names 2>/dev/null)'\n", fishCondition(at))
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
	case w.takesValue && len(w.values) > 0:
		return "-x -a '" + strings.Join(w.values, " ") + "' -l " + name
	case w.takesValue:
		return "-r -l " + name
	}
	return "-l " + name
}

func fishQuote(s string) string {
	return strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s)
}
