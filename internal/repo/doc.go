// Package repo is the running repository: it finds charts and archives in the
// SOURCE directories, plans which charts must be packaged again, packages them
// in parallel, publishes archives and index.yaml into the repository folder, and
// hands out Snapshots, the immutable view that requests are answered from.
//
// One goroutine (Build or Run) owns all state; readers only load the current
// Snapshot. What a chart is stands in package chart, how it becomes an archive
// in pkgr, how the index is encoded in index, how changes are noticed in watch,
// and how a Snapshot is served in httpapi.
package repo
