module chartserve/packaging

go 1.26.0
