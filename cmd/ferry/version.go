package main

import (
	"encoding/json"
	"runtime"
	"runtime/debug"
)

// versionCmd is `ferry version`.
type versionCmd struct {
	JSON bool `help:"Print JSON."`
}

func (cmd *versionCmd) Run(c console) error {
	b := buildOf()
	if cmd.JSON {
		return json.NewEncoder(c.out).Encode(b)
	}
	return c.print("%s", b)
}

type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision"`
	Go       string `json:"go"`
}

func (b build) String() string { return "ferry " + b.Version + " (" + b.Revision + ", " + b.Go + ")" }

// buildOf is what the Go tool wrote into the binary.
func buildOf() build {
	b := build{Version: "(devel)", Revision: "unknown revision", Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Revision = s.Value[:min(12, len(s.Value))]
		}
	}
	return b
}
