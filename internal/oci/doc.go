// Package oci is a repository as a registry of the OCI distribution specification has it:
// which paths there are, and which manifests and blobs stand for the charts of a View.
//
// Nothing is stored for a chart that nobody pushed: its config and its manifest follow from what the index
// says of it, from its archive's digest and from its provenance, and have the same bytes
// each time.
//
// What is pushed package layout keeps: a Registry reads both, and a Target writes, and has the
// repository publish what is a chart. The View decides what is there (see Registry).
//
// HTTP is the business of package httpapi.
package oci
