// Package store keeps the accounts of virtual users in a database: one SQL
// text, its migrations numbered and embedded, today over an SQLite file inside
// the state directory.
//
// Values go into statements as parameters only. Rows are read strictly: a
// right, a number or a time that does not parse is an error that names the
// row, and never a default, for a default is a decision about access.
package store
