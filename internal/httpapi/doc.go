// Package httpapi serves a repository over HTTP: the routes that helm serve and
// ChartMuseum have, conditional and range requests, and the page that a browser
// sees. Handlers read one repo.Snapshot, in which all is ready encoded; no request
// parses YAML, walks a directory, compresses or renders anything.
//
// What is served, and when it changes, is the business of package repo; the
// encoding of the index that of package index. Listening, and the choice of
// addresses, is left to the command. Nothing here writes: the only methods are
// GET and HEAD.
package httpapi
