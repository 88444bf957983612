package main

import (
	"os"
	"testing"

	"ferry/internal/config"
)

// TestEveryFlagHasAKey: what can be said on the command line can be said in
// the file.
func TestEveryFlagHasAKey(t *testing.T) {
	flags := map[string]bool{"--config": true, "--help": true, "--version": true} // these are no settings
	for _, k := range config.Keys() {
		flags[k.Flag] = true
	}
	parser, err := newParser(console{os.Stdin, os.Stdout, os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range parser.Model.Children {
		if n.Name != "serve" {
			continue
		}
		for _, group := range n.AllFlags(false) {
			for _, f := range group {
				if !flags["--"+f.Name] {
					t.Errorf("--%s has no key", f.Name)
				}
				delete(flags, "--"+f.Name)
			}
		}
	}
	delete(flags, "")
	delete(flags, "DIR")
	for f := range flags {
		t.Errorf("the table of keys names %s, which serve does not have", f)
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
