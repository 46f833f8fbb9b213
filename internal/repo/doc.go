// Package repo is the running repository: it finds charts and archives in the
// SOURCE directories, plans which charts must be packaged again, packages them
// in parallel, publishes archives and index.yaml into the repository folder, and
// hands out Views, the immutable view that requests are answered from.
//
// One goroutine (Build or Run) owns all state; readers only load the current
// View. Package chart knows charts, pkgr makes archives of them, index encodes
// the index, watch notices changes, store keeps the repository folder, and httpapi
// serves a View.
package repo
