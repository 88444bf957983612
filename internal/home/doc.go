// Package home brings a user to the files of a home. A home is a host path, or a URL
// whose scheme says what kind of ferry.Storage it is; openStorage is the one place
// that knows which kinds there are. Sessions of one home share its storage, which is
// open for as long as somebody uses it.
package home
