// Package watch tells that something changed in a set of directories: what
// changed is named where that is known, and a rescan is asked for where it is
// not (events were lost, a directory was renamed, the file system sends none).
// Bursts are coalesced into one Change.
//
// It does not walk trees, and does not know what a chart is: package repo scans
// and calls Add with each directory before it lists it, so that nothing which
// happens between the listing and the watch is missed. Only directories are
// watched, never files: editors replace files, and the watch would stay with the
// one that is gone.
//
// Three properties of fsnotify, and of inotify below it, shape the code:
//
//   - A tree made by one MkdirAll is reported by its top directory only. The
//     consumer rescans what it is told about, calls Add, and finds the rest.
//   - After a directory is renamed its own watch is gone and the watches below
//     report the old path. They are dropped, and a Rescan sets them again.
//   - A reader that is too slow makes the kernel's queue overflow. What was lost
//     is unknown, so that is a Rescan too.
package watch
