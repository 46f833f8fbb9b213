certificate charts.example.com
mkdir /run/chartserve
chart charts/nova nova 1.0.0
