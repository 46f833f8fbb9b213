// Package index is the repository's index: what an entry is, in which order
// entries stand, how they become index.yaml and index.json, and how an index of
// anybody is read back.
//
// Encoding is incremental. A Builder keeps each chart's part of the index in its
// encoded form; a change encodes that part again, compresses the 50 kilobytes or
// so around it, and shares the rest with the index before it. The bytes depend on the entries alone, not
// on the changes that led to them, so that replicas agree on every byte and ETag.
//
// It reads and writes no files and serves nothing: package repo decides what is
// published and when, httpapi answers requests from an Encoded. What metadata is
// valid, and how versions compare, is package chart's to say.
package index
