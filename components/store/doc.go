// Package store is where the data lives: the volume of one host, the file system of several zones, their keys and
// backups. Both forms are a SharedStore; package components has the one constructor for both.
package store
