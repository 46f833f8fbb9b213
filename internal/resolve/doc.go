// Package resolve decides what each chart is built from.
//
// Resolve is a pure function: charts, archives and what was fetched go in; for
// each chart its sub-charts, a key of all that goes into its archive, failures and
// warnings come out, and what is missing to say more. Nothing in it reads, watches
// or fetches: package repo looks at the directories that are missing, hands what
// has to be fetched to its fetcher, and resolves again.
//
// A dependency is looked for in this order: the directory that a file:// path
// names, this repository itself (its chart sources, then its archives), what is
// vendored in charts/, the remote repository. A lock that is in sync with the
// dependencies binds in each of these ways.
//
// Every chart is resolved once, and errors do not hold the errors of other charts,
// so that the time is linear in the number of declared dependencies, whatever the
// graph.
package resolve
