package config

import (
	"math"
	"os"
	"path/filepath"

	"ferry/internal/auth"
)

// defaultState is where the database lives where nothing is said.
func defaultState() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/lib/ferry", nil
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "ferry"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", Usagef("no place for the database: name one with --state (%w)", err)
	}
	return filepath.Join(home, ".local", "state", "ferry"), nil
}

// Hasher makes password hashes of the configured cost, at most parallel at once.
func (c *Config) Hasher(parallel int) (*auth.Hasher, error) {
	memory := min(c.Users.HashMemory>>10, math.MaxUint32)
	return auth.NewHasher(auth.Cost{Memory: uint32(memory), Passes: uint32(c.Users.HashPasses)}, parallel)
}

// PasswordVariable is the environment variable with the password of static users that
// have none.
const PasswordVariable = "FERRY_PASSWORD"

// DatabaseFile is the database's name in the state directory.
const DatabaseFile = "ferry.db"

// Database is the path of the database.
func (c *Config) Database() string { return filepath.Join(c.Server.State, DatabaseFile) }
