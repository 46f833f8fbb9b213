// Package report holds what a run of the bench has found and renders it: samples,
// their medians and spread, ratios against the targets of bench.md, and the page
// docs/benchmarks.md.
//
// It measures nothing; the command in the folder above does.
package report
