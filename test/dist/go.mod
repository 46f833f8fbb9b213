module chartserve/test/dist

go 1.26.0
