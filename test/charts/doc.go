// Package charts tests the sample charts as those who install them do: chartserve packages
// them, real Helm 3 and 4 lint and render the archives with values of all kinds, and the
// objects that come out are read as strictly as the Kubernetes API reads them. What the
// chart of chartserve starts is started, so that a flag that does not exist fails.
//
// The programs are found as the end-to-end tests find theirs: CHARTSERVE, HELM3 and HELM4,
// else ../../bin.
package charts
