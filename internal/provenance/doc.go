// Package provenance reads the .prov file of a chart archive and says who signed
// it, and makes one: a text with the chart's metadata and the archive's SHA-256, clear-signed
// with OpenPGP (RFC 9580, section 7), as `helm package --sign` writes it.
//
// What Helm 3 and 4 refuse (pkg/provenance) is refused here; what they take is
// taken, but for texts beyond the bounds below and metadata that is no Chart.yaml.
//
// It opens no files and does not look into archives: package verify finds the
// archive that belongs to a provenance file and compares the two. Nothing here keeps,
// logs or repeats a passphrase.
package provenance
