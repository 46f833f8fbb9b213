// Package cluster holds no code: its go.mod pins the modules that a Kubernetes API server and
// etcd are built of, with which the chart of chartserve is installed. cluster.sh in the folder
// above builds both.
package cluster
