package config

import (
	"math"
	"path/filepath"

	"ferry/internal/auth"
)

// Hasher makes password hashes of the configured cost, at most parallel at once.
func (c *Config) Hasher(parallel int) (*auth.Hasher, error) {
	memory := min(c.Users.HashMemory>>10, math.MaxUint32)
	return auth.NewHasher(auth.Cost{Memory: uint32(memory), Passes: uint32(c.Users.HashPasses)}, parallel)
}

// databaseFile is the database's name in the state directory.
const DatabaseFile = "ferry.db"

// Database is the path of the database.
func (c *Config) Database() string { return filepath.Join(c.Server.State, DatabaseFile) }
