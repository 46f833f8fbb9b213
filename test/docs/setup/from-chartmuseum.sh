plugin cm-push
key ann
gpg --export-secret-keys ann@example.com >ann.gpg
signed() { chart "made/$1" "$1" "$2" && chartserve package --sign --key ann --keyring ann.gpg -d "$3" "made/$1"; }
signed mychart 0.1.0 .
chart mychart mychart 0.2.0
# The storage of a ChartMuseum, and that of one with --depth=2. Another chartserve serves them: its API is the same.
signed old 2.0.0-rc.1 chartstorage
echo 'entries: {}' >chartstorage/index-cache.yaml
signed older 1.0.0 tenants
signed nested 1.0.0 tenants/org1/repoa
