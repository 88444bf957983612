// Package tomlkeys reads a TOML document (version 1.0) as keys with their values, and knows
// the line that each of them stands on, for those who must say where something is wrong.
package tomlkeys

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Document is a TOML document.
type Document struct {
	Tree  map[string]any // tables in tables, as they were written
	lines map[string]int
}

// Parse reads a document. The error says where it is no TOML, as "LINE:COLUMN: not TOML: WHY",
// to be put behind the name of a file and a colon.
func Parse(data []byte) (*Document, error) {
	d := &Document{}
	if err := toml.Unmarshal(data, &d.Tree); err != nil {
		if at := new(toml.DecodeError); errors.As(err, &at) {
			row, column := at.Position()
			return nil, fmt.Errorf("%d:%d: not TOML: %s", row, column, strings.TrimPrefix(at.Error(), "toml: "))
		}
		return nil, fmt.Errorf(" not TOML: %w", err)
	}
	d.lines = keyLines(data)
	return d, nil
}

// Line is where the key, or the table, with that name stands, from 1 on; 0 where there is none.
func (d *Document) Line(name string) int { return d.lines[name] }

// Flat is every value by its key, with dots between the tables it is in. An empty table
// is no value, unless isTable does not know its name.
func (d *Document) Flat(isTable func(name string) bool) map[string]any {
	return flatten("", d.Tree, isTable)
}

func flatten(prefix string, tree map[string]any, isTable func(string) bool) map[string]any {
	flat := map[string]any{}
	for name, v := range tree {
		table, ok := v.(map[string]any)
		if !ok {
			flat[prefix+name] = v
			continue
		}
		if len(table) == 0 && !isTable(prefix+name) {
			flat[prefix+name] = v
		}
		maps.Copy(flat, flatten(prefix+name+".", table, isTable))
	}
	return flat
}

// keyLines finds the line of every key and table in a document that has been
// parsed once without an error.
func keyLines(data []byte) map[string]int {
	lines := map[string]int{}
	var p unstable.Parser
	p.Reset(data)
	table := ""
	for p.NextExpression() {
		e := p.Expression()
		name, line := keyName(&p, e.Key())
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = name + "."
			lines[name] = line
		case unstable.KeyValue:
			lines[table+name] = line
			inlineLines(lines, table+name+".", e.Value(), line)
		}
	}
	return lines
}

// inlineLines gives the keys of an inline table the line it begins on.
func inlineLines(lines map[string]int, prefix string, v *unstable.Node, line int) {
	if v.Kind != unstable.InlineTable {
		return
	}
	for it := v.Children(); it.Next(); {
		var parts []string
		for k := it.Node().Key(); k.Next(); {
			parts = append(parts, string(k.Node().Data))
		}
		name := prefix + strings.Join(parts, ".")
		lines[name] = line
		inlineLines(lines, name+".", it.Node().Value(), line)
	}
}

func keyName(p *unstable.Parser, key unstable.Iterator) (name string, line int) {
	var parts []string
	for key.Next() {
		if line == 0 {
			line = p.Shape(key.Node().Raw).Start.Line
		}
		parts = append(parts, string(key.Node().Data))
	}
	return strings.Join(parts, "."), line
}
