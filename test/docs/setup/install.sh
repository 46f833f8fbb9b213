# An archive as make dist makes it, with its checksums.
folder=chartserve_0.1.0_linux_amd64
mkdir $folder && cp "$(command -v chartserve)" $folder/chartserve
tar -czf $folder.tar.gz $folder && rm -r $folder
sha256sum $folder.tar.gz >SHA256SUMS
echo "$(printf '%064d' 0)  chartserve_0.1.0_windows_amd64.zip" >>SHA256SUMS
