// Package repos keeps the repositories of one server: the root one, in a folder, and named
// ones, each in the folder of its name below that. Each is a repo.Repository of its own, with
// its own lock, index, state and View; none sees what is in another's folder.
//
// The named ones are those that the operator names. With a depth, names of so many segments
// are also the folders that are there, and an upload to another such name makes one. Who may
// upload there has been asked by then, by package httpapi.
package repos
