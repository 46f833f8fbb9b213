// Package cmpush holds no code: its go.mod pins the modules of helm-push, ChartMuseum's plugin
// for Helm 3, which the end-to-end tests publish with. clients.sh in the folder above builds it.
package cmpush
