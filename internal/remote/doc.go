// Package remote is a client of other chart repositories: it reads their index,
// chooses versions as Helm does, and downloads archives whose digest is the one
// that the index promises.
//
// A repository that names no digest for an archive is believed; there is a
// warning in the log then. Only HTTP and HTTPS are spoken, through the proxies
// that the environment names (HTTP_PROXY, HTTPS_PROXY, NO_PROXY). What a
// repository sends is bounded in size, in redirects and in the time for which it
// may be silent. Credentials may stand in a repository's URL; they are sent to
// that scheme, host and port alone, and no log line or error repeats them or the
// URL's query.
//
// The package does not look into archives: package pkgr checks them. It keeps
// indexes for a while but no archives: package repo has a cache of those, and
// decides when a dependency has to come from elsewhere at all.
package remote
