checkout ~/chartserve && cd charts
