// Package pkgr turns a chart directory into a deterministic .tgz, and reads
// archives back.
//
// Checker.List walks a directory under .helmignore and takes a fingerprint of what it
// finds; Tree.Load reads those files into a Chart; a Packer writes a Chart as an
// archive whose bytes depend on nothing but the chart's content, its sub-charts'
// content and one timestamp. A Checker streams an archive from its gzip header to
// its trailer and says whether Helm would load it, in one step (Check) or in two
// (Structure, then Check), or reads it into a Chart.
//
// What is refused is what `helm package` or Helm's loader would refuse, and a
// little more: links that lead out of their source, names that could leave the
// directory they are unpacked in, damage that Helm overlooks. Each such place
// says so in a comment.
//
// Whether the dependencies that a chart declares are there is not decided here:
// package repo resolves them and hands them to Chart.WithSubcharts. Package
// chart reads Chart.yaml, requirements, locks and .helmignore.
package pkgr
