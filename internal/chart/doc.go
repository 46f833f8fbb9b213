// Package chart says what a chart is: the metadata in Chart.yaml, names and
// versions, declared dependencies and their locks, and what .helmignore leaves
// out. It reads and judges bytes the way Helm 4 does, and every complaint names
// the file, the field and the remedy.
//
// It touches no file system and no network. Package pkgr walks chart directories
// and reads and writes archives, index holds what is published, and repo decides
// which charts there are and resolves their dependencies.
package chart
