// Package torture attacks the real server: real processes, killed for real, full
// disks, hostile files and hostile clients. All that may happen is that a change
// comes later, or that a chart is refused with its reason.
//
//	go test -timeout 20m .                   the short form, part of make check
//	TORTURE=long go test -timeout 12h -v .   the long one, make torture
//
// A failed run prints its seed; TORTURE_SEED repeats its random choices (not its
// timing). CHARTSERVE names a program to attack in place of one built from this
// tree. Some attacks need root to mount a small disk; they say so when they can't.
// What Helm's clients make of the answers is test/e2e's; the parsers' fuzz targets
// stand beside the parsers.
package torture
