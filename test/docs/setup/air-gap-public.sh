/opt/corpus -o tree -kind taco-v2
chartserve build --repo-path public tree
