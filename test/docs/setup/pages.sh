# The chart's image is in a registry of this machine.
beside chartserve --address localhost:5000 --allow-upload --repo-path registry
image localhost:5000/library/nova:1.0
chart charts/nova nova 1.1.0
chart made/nova nova 1.0.0
echo 'image: localhost:5000/library/nova:1.0' | tee made/nova/values.yaml >charts/nova/values.yaml
chartserve package -d charts made/nova
