// Package listen opens listeners and accepts connections: errors that say what
// to do, patience when the machine is short of something, and the PROXY
// protocol (versions 1 and 2, as HAProxy's proxy-protocol.txt describes them)
// from load balancers that are trusted.
package listen
