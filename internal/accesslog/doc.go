// Package accesslog writes a line for each request that was answered: as JSON, in the
// common and combined forms that log analysers read, or as a line of the server's own log.
//
// A Log writes to a file that others may rename under it (logrotate), or to a stream. Which
// requests there are, and what is known about them, is the business of package httpapi.
package accesslog
