chart charts/nova nova 1.0.0
archive mychart 1.0.0
archive web-shop 1.0.0
