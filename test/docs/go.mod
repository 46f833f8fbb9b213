module chartserve/test/docs

go 1.26.0

require (
	github.com/yuin/goldmark v1.8.7
	golang.org/x/sys v0.50.0
	mvdan.cc/sh/v3 v3.14.1
)

require github.com/rogpeppe/go-internal v1.15.0
