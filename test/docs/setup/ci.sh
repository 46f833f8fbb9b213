chart charts/web web 1.0.0
