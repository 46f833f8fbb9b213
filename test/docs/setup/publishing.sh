plugin cm-push
key ann
chart charts/nova nova 1.0.0
chart charts/heat heat 1.0.0
chart mychart mychart 1.0.0
gpg --export-secret-keys ann@example.com >ann.gpg
chartserve package --sign --key ann --keyring ann.gpg mychart
