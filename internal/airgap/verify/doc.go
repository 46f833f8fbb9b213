// Package verify proves that a chart repository, a folder or one behind an
// address, is complete and unchanged: each entry of the index has its archive,
// whole and with the digest and metadata that the index says, each archive has
// its entry, its dependencies inside it and a provenance that fits. On request it
// also finds every address that a client would fetch from outside.
//
// It changes nothing and remedies nothing; what it finds is a list of Findings,
// each with what to do. Package index decodes, pkgr checks archives, provenance
// reads signatures, remote downloads; what is right about them together is said
// here.
package verify
