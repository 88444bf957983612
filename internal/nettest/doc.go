// Package nettest is TCP in memory, for tests that run in a bubble of testing/synctest:
// connections that behave as TCP does where FTP can tell, and a network of them.
package nettest
