// Package inbox hands a delivery of archives over to a repository folder, whole
// or not at all.
//
// A delivery is put together in a Stage, the directory .staging-NAME in the
// repository folder, which outlives its process: who is interrupted finds there
// the next time what was complete. Deliver renames the directory to .incoming;
// with that the delivery is made, whatever happens to the process or the machine.
// The repository on the folder, the one that runs or the next to open it, takes
// the files of .incoming in with one pass (package repo), and removes it. There is
// one delivery at a time: while one waits, the next is refused.
//
// The package knows nothing of what is inside archives and checks none of them;
// packages mirror and bundle do, before they deliver.
package inbox
