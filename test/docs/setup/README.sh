checkout ~/chartserve
