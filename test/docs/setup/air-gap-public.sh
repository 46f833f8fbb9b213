/opt/corpus -o tree -kind taco-v2 && rm -rf tree/*.tgz tree/[i-z]*
chartserve build --repo-path public tree
