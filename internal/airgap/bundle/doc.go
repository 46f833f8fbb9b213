// Package bundle carries a repository over an air gap: Create writes a repository
// folder into one stream, Verify proves without a network that it arrived whole,
// Load brings it into a repository folder, all or nothing.
//
// A bundle is an uncompressed tar: manifest.json, index.yaml, images.txt where a
// list of images was given, then archives and provenance in name order. Every
// byte of it follows from the manifest and the files that this lists, so that the
// same repository gives the same bundle, and a reader knows what each byte has to
// be: it parses no headers but compares them. A delta leaves out the files that a
// base, an earlier bundle, has brought already; its manifest lists them all the
// same. A bundle may be cut into parts; see Output.
//
// Everything streams. In memory are the manifest, the index and one archive's
// largest file, on disk nothing but what is asked for.
//
// How a delivery gets into a folder is package store's to say, what is a chart
// archive pkgr's, what is an index index's. It makes no archives and no list of
// images; the command hands the list in.
package bundle
