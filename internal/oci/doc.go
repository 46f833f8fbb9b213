// Package oci is a repository as a registry of the OCI distribution specification has it:
// which paths there are, and which manifests and blobs stand for the charts of a View.
//
// Nothing is stored for a chart: its config and its manifest follow from what the index
// says of it, from its archive's digest and from its provenance, and have the same bytes
// each time.
//
// HTTP is the business of package httpapi.
package oci
