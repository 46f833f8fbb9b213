// Package helm2 holds no code: its go.mod pins the modules that Helm 2.17 was
// released with, so that its client still builds today:
//
//	go build -o ../../bin/helm2 k8s.io/helm/cmd/helm
//
// clients.sh in the folder above does that, and installs Helm 3 and 4.
package helm2
