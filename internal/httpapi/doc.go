// Package httpapi serves a repository over HTTP: the routes that helm serve and
// ChartMuseum have, conditional and range requests, and the page that a browser
// sees.
//
// Every request passes one chain of middleware (routes), which ends at chi's router;
// middleware from outside (Options) has its place in it. Handlers return errors, and
// one table (answer) has the status of each kind. They read one repo.View, in
// which the index is ready encoded: no request parses YAML or walks a directory, and
// only the first to ask for the list after a change waits for it to be made. Small files and texts are sent from memory, large files by the
// kernel.
//
// A server may have several repositories (Repositories): what a request is for is found by
// its path, before the login, and the name is taken off (locate). Routes and handlers know one repository.
//
// What is uploaded goes to a Publisher, with ChartMuseum's API and PUT, where Options has
// one: there are no routes that write else. An upload is streamed to it.
//
// What is served, and when it changes, is the business of package repo; the
// encoding of the index that of package index, and the look of a page that of package page. Listening, and the choice of
// addresses, is left to the command.
package httpapi
