// Package dist installs what `make dist` made, as people do, and runs it. It imports nothing of
// chartserve's.
//
// The folder is found by an environment variable, else where `make e2e` puts it:
//
//	DIST   the folder, with all parts
//
// Without DIST it is ../../bin/dist, of make dist OUT=bin/dist, and tests of parts that are not
// there are skipped.
//
// Packages and the Ansible role are installed in machines of their own, with systemd as PID 1 and
// without a network ([start]). These tests need Linux, root, overlayfs and a cgroup2 that can be
// written to, and are skipped elsewhere.
package dist
