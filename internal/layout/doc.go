// Package layout keeps what is pushed to a repository as to an OCI registry, below .oci in the
// repository folder: blobs, manifests, tags, and uploads that go on. Each name has an OCI image
// layout of its own, so that other tools read it too (skopeo inspect oci:.oci/library+nginx:1.25).
//
// It does not know what a manifest says, but for the digests in it, nor what a chart is:
// package oci does. Charts that nobody pushed are not here: the View of package repo has them.
//
// # On disk
//
//	.oci/NAME/oci-layout, index.json   an image layout; index.json is the commit point
//	.oci/NAME/blobs/ALGORITHM/HEX      the blobs of that name, manifests too
//	.oci/_blobs/ALGORITHM/HEX          every blob once; those of the names are hard links to it
//	.oci/_uploads/NAME/ID              uploads that go on
//	.oci/_staged/N                     files on the way; the next owner removes them
//
// A slash in a name is a plus on disk, which no name has. Where a file system has no hard
// links, each name has copies of its own, and _blobs stays empty.
//
// index.json has one descriptor for each tag (the annotation org.opencontainers.image.ref.name),
// and one for each manifest without a tag. Annotations of ours (chartserve.subject and
// chartserve.archive) hold Manifest.Subject and Manifest.Archive. What other tools write into
// it is seen by the next call.
//
// # Concurrency
//
// One process owns the repository folder (package store locks it), and has one Layout of it.
// All methods may be called from any goroutine. Changes of one name's index.json wait for each
// other, and now and then for another name's; nothing else waits for the body of an upload or for the disk's sync.
//
// # Durability
//
// When a method returns nil what it did survives a power cut: the blob is there, the manifest
// has its entry. Only what an upload that goes on has received may be lost then. index.json is
// replaced whole, and blobs get their names with all their bytes on disk: whoever is killed
// leaves an index.json that is the old one or the new one, and no blob that has not its digest.
//
// # Errors
//
// Errors of the folder keep the system's error for errors.Is (fs.ErrPermission,
// syscall.ENOSPC). ErrName is returned for what is no content name, before anything is
// looked at; other errors are named by the methods.
//
// # Links
//
// Nothing is reached through a symbolic link, and only regular files are opened, as package
// store does it.
package layout
