// Package loaders holds chartserve to the loaders of Helm 3 and 4: their own code, as
// libraries, on the same charts. Whatever chartserve takes, both Helms take, as the
// same chart: the index says what each of them reads, and what is packaged from a
// directory is what each of them reads from that directory; what stands for a chart in a
// registry is what each of them pushes. The charts are made at
// random, most of them a little wrong.
//
//	go test .                                 a few thousand charts, part of make check
//	TORTURE=long go test -timeout 12h -v .    for an hour and more, make torture
//
// What both Helms take and chartserve refuses is counted, and must be refused for a
// reason that intended lists. A failure prints the seed of its chart:
//
//	LOADERS_SEED=4711 go test -run TestArchives .
//
// makes that one chart again, and tells all about it. The real clients are test/e2e's.
package loaders
