package main

import (
	"os"
	"slices"
	"testing"

	"ferry/internal/config"
)

// TestEveryFlagHasAKey: what can be said on the command line can be said in the file. It
// is so for every command that reads a configuration; others name a part of it.
func TestEveryFlagHasAKey(t *testing.T) {
	keys := map[string]bool{}
	for _, k := range config.Keys() {
		keys[k.Flag] = true
	}
	delete(keys, "")
	delete(keys, "DIR")
	own := map[string][]string{ // these are no settings
		"": {"--config", "--help", "--version"}, "show": {"--json"},
	}
	parser, err := newParser(console{os.Stdin, os.Stdout, os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	var reading []string
	for _, n := range parser.Model.Leaves(true) {
		var flags []string
		for _, group := range n.AllFlags(false) {
			for _, f := range group {
				flags = append(flags, "--"+f.Name)
			}
		}
		if !slices.Contains(flags, "--passive-ports") {
			continue
		}
		reading = append(reading, n.Name)
		for _, flag := range flags {
			if !keys[flag] && !slices.Contains(own[""], flag) && !slices.Contains(own[n.Name], flag) {
				t.Errorf("ferry %s: %s has no key", n.Name, flag)
			}
		}
		for flag := range keys {
			if !slices.Contains(flags, flag) {
				t.Errorf("the table of keys names %s, which ferry %s does not have", flag, n.Name)
			}
		}
	}
	if want := []string{"serve", "check", "show"}; !slices.Equal(reading, want) {
		t.Errorf("a configuration is read by %v, want %v", reading, want)
	}
}

// TestWordsOfFlags: what completion offers for a flag, its key takes.
func TestWordsOfFlags(t *testing.T) {
	parser, err := newParser(console{os.Stdin, os.Stdout, os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	offered := 0
	for _, f := range parser.Model.Children[0].Flags {
		for _, word := range wordsOf(f.Tag) {
			offered++
			if _, err := config.Load("", map[string]any{"--" + f.Name: word}); err != nil {
				t.Errorf("--%s %s: %v", f.Name, word, err)
			}
		}
	}
	if offered < 6 {
		t.Errorf("only %d words are offered for the flags of serve", offered)
	}
}
