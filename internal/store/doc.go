// Package store hands a delivery of archives over to a repository folder, whole
// or not at all.
//
// A delivery is put together in a Stage, the directory .staging-NAME in the
// repository folder. The directory outlives its process: after an interruption the
// next OpenStage finds the files that were complete. Deliver renames the directory
// to .incoming. From then on the delivery is made, whatever happens to the process
// or to the machine. The repository on the folder, the one that runs or the next
// one that opens it, takes in the files of .incoming with one pass (package repo)
// and removes the directory. There is one delivery at a time: while one waits, the
// next is refused.
//
// The package does not look into archives and checks none of them. Packages mirror
// and bundle do so before they deliver.
package store
