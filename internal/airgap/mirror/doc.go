// Package mirror copies charts of other repositories into a repository folder,
// byte for byte and with their provenance.
//
// A run asks each Source what it has, selects by the Source's Filter, leaves out
// what the folder holds already, fetches the rest into a stage, several at once,
// and delivers the stage as one. Every archive is read whole before it counts, and
// has to be what its repository said: digest, name and version. What stood whole
// in the stage when a run was interrupted is not fetched again by the next one. Files
// in the folder remember what archives are in it, .mirror.json, and what each Source
// offered, .mirror-HASH.json, so that a run without news costs one conditional request
// a repository; without these files, or with damaged ones, a run is slower and its
// result the same.
//
// The package speaks to no network: that is package remote's. The
// stage, and how a delivery gets into the folder, are package store's; package
// repo publishes it.
package mirror
