// Package config is everything that can be set: one table of keys (keys.go,
// keys_tls.go, keys_sftp.go), from which files and flags are read, and the example
// and docs/configuration.md are made. Load puts presets, file and flags together;
// what is wrong is one error that names the line, or the flag, and the remedy.
//
// Files are TOML 1.0, read strictly.
package config
