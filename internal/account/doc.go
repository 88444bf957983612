// Package account is what an operator does with accounts: add, change, look at and
// remove them, with their passwords and keys, in the server's database, whether a
// server runs or not. A running one sees a change within a second. It asks nobody and
// prints nothing: the command line, and whatever else manages accounts, does.
package account
