// Package daemon is the server: Serve (server.go) makes every part of it, ties them
// together by hand in the order in which they depend on one another, runs until a
// signal says stop, and takes them down in the opposite order. It alone knows all
// rooms.
//
// What a configuration makes of the server is in one value (settings.go), which SIGHUP
// replaces by another: everything that can fail is prepared first, then the new value
// is put in the place of the old one (reload.go).
//
// The other files say the configuration in the words of each room (wiring.go,
// encryption.go, policy.go, ssh.go, virtual_hosts.go, static_users.go, transfer_log.go), or do the work
// beside the sessions (listeners.go, maintenance.go, memory.go, notify.go).
package daemon
