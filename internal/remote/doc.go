// Package remote is a client of other chart repositories and of OCI registries. It
// reads indexes and lists of tags, chooses versions as Helm does, and downloads
// archives whose digest is the one that the index or the manifest promises. FindAPI finds
// where a repository takes charts in; API.Publish sends one there, API.Remove takes one out.
//
// There is one way for each thing. A Client asks by exchange, which makes one request
// with its credentials and limits; by retry, which makes it again where that may help;
// and by download, which goes on where a connection was cut. oras-go reads what a
// registry has besides archives, and asks in the same way. Fetch chooses a version and
// returns its archive, Get returns and Save writes a file that an index names, SaveOCI
// writes a chart of a registry.
//
// An archive for which the index has no digest is believed, with a warning in the log.
// Proxies are those of the environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY). What a
// server sends is bounded in size, in redirects and in the time for which it may be
// silent.
//
// Credentials stand in a repository's URL or in Options.Logins. They are sent to that
// scheme, host and port alone, also by way of redirects, and no log line or error
// repeats them or the URL's query. A registry's token service is the one exception:
// see authFor.
//
// The package does not look into archives: package pkgr checks them. Indexes stay in
// memory for a while and archives do not: package repo has those on disk, and decides
// when a dependency has to come from elsewhere at all.
package remote
