module chartserve/test/bench

go 1.26.0

require chartserve/test/corpus v0.0.0-00010101000000-000000000000

replace chartserve/test/corpus => ../corpus
