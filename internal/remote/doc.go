// Package remote is a client of other chart repositories: it reads their index,
// chooses versions as Helm does, and downloads archives whose digest is the one
// that the index promises. It also pulls charts from OCI registries, as Helm keeps
// them there.
//
// A repository that names no digest for an archive is believed; there is a
// warning in the log then. HTTP and HTTPS are spoken, through the proxies that the
// environment names (HTTP_PROXY, HTTPS_PROXY, NO_PROXY). What a repository or a
// registry sends is bounded in size, in redirects and in the time for which it may
// be silent. A request that may do better later is made again, and a download that
// was cut goes on where it stopped.
//
// Credentials may stand in a repository's URL and in Options.Logins; they are sent to that scheme, host and port alone, also by way of redirects,
// and no log line or error repeats them or the URL's query. A registry's token
// service is the one exception: see authFor.
//
// The package does not look into archives: package pkgr checks them. It keeps
// indexes for a while but no archives: package repo has a cache of those, and
// decides when a dependency has to come from elsewhere at all.
package remote
