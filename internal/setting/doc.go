// Package setting is the kinds of values that a configuration has: a time span, a size, a
// list of networks. Each takes what a TOML file or a flag says, or says what is wrong with
// it, and prints itself as a file would say it. Which settings there are is config's.
package setting
