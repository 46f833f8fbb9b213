chart charts/nova nova 1.0.0
