// Package dist installs what `make dist` made, as people do, and runs it. It imports nothing of
// chartserve's.
//
// The folder is found by an environment variable, else where `make e2e` puts it:
//
//	DIST   the folder, with all parts
//
// Without DIST it is ../../bin/dist, of make dist OUT=bin/dist, and tests of parts that are not
// there are skipped.
package dist
