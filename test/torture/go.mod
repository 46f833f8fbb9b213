module chartserve/test/torture

go 1.26.0

require (
	chartserve/test/corpus v0.0.0-00010101000000-000000000000
	github.com/hanwen/go-fuse/v2 v2.12.1
	sigs.k8s.io/yaml v1.6.0
)

require (
	go.yaml.in/yaml/v2 v2.4.5 // indirect
	golang.org/x/sys v0.28.0 // indirect
)

replace chartserve/test/corpus => ../corpus
