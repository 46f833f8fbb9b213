// Package e2e tests chartserve from outside: the real command, on real trees,
// read by real Helm 2.17, 3 and 4, and by the clients of registries. It imports nothing of
// chartserve's.
//
// The programs are found by environment variables, else where the project's make
// targets put them:
//
//	CHARTSERVE            the command; without it the suite builds one for itself
//	HELM2, HELM3, HELM4   the clients; without them ../../bin/helm2 and so on,
//	                      which ../clients.sh installs
//	HELM_CM_PUSH          ChartMuseum's plugin, likewise
//	ORAS, CRANE, REGCTL,  clients of registries, likewise
//	SKOPEO
//	OCI_CONFORMANCE       the conformance suite of the OCI distribution-spec, likewise
//
// Helm is the oracle wherever the design says "as Helm does": what is expected is
// what the client beside us makes of the same input, not a list in a file. Where
// the design is stricter or milder than Helm, the table says so in a word.
//
// The airgap tests follow charts from upstreams of several kinds over a mirror host
// and a bundle to a site, which is this test program once more in a network namespace
// of its own. nginx and namespaces are used where the machine has them.
//
// Everything listens on the loopback interface on a free port, and every client
// has a home of its own, so that tests run side by side. What chartserve does
// inside is tested beside its packages, how fast it is in the module bench.
package e2e
