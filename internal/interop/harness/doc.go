// Package harness is what the tests of internal/interop share: it builds the ferry
// binary, starts and stops servers, talks to them as a client that says what a test
// wants it to say (rawclient.go), runs real clients (run.go), and looks at what lies on
// the disk. It is for tests only.
package harness
