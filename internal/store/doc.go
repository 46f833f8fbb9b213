// Package store keeps the repository folder: the directory with the archives and
// index.yaml that any web server can serve as it is. It locks the folder, stages
// and commits changes, keeps replaced archives under their digest, lists and opens
// files, and saves the state of whoever owns it. It does not look into archives and
// does not decide what is published: package repo does.
//
// # In the folder
//
//	index.yaml                            the commit point
//	NAME-VERSION.tgz, .tgz.prov           archives and their provenance, at any depth
//	by-digest/SHA256/NAME-VERSION.tgz     links to archives by their content
//	.lock                                 the lock
//	.state                                the state: a cache, never synced
//	.pages                                which files beside these a Site wrote
//	.tmp-*                                staged files; the next owner removes those of a killed one
//	.staging-*, .incoming                 deliveries: see Delivery
//	.question, .tmp-answer-*              what another process wants: see Ask
//
// Everything else at the top is someone else's file and is left alone. No name that
// begins with a dot is served.
//
// # Concurrency
//
// One process owns the folder, from Open to Close. Within it Stage, WriteFile and
// the methods of a Reader may be called from any goroutine. All other methods belong
// to one goroutine at a time, the owner. Other processes hand archives over in a
// Delivery, which the owner takes in (Store.Receive), and ask for other things with Ask.
//
// # Durability
//
// A change is a Batch. Commit names its files in an order that leaves no moment at
// which index.yaml lists an archive that is not in the folder: first everything that
// needs room on the disk, then archives, then index.yaml, then removals. When Commit
// returns nil, archives, index.yaml and removals survive a power cut. Files and the
// folder are brought to disk with fsync; what a disk says of that is believed. The links
// under by-digest are not synced: after a power cut one may be gone. A later Commit makes
// it again.
//
// # Errors
//
// Errors of the folder keep the system's error for errors.Is (fs.ErrPermission,
// syscall.ENOSPC), and the name of the file. Passing reports whether one is a shortage
// of the moment. After an error nothing staged is left behind once Tidy was called,
// unless the disk refuses to remove it; then the next Tidy or the next Open does it.
//
// # Links
//
// Nothing in the folder is reached through a symbolic link, and only regular files
// are opened: archives that others put there are untrusted. The folder itself may be
// named through a link (systemd's StateDirectory is one), but for a folder with the
// DefaultFolder's name: that stands in a checkout, which can carry a link to anywhere.
package store
