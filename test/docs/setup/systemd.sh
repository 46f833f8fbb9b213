# There is no package.
groupdel chartserve && rm -r /etc/chartserve
# The reader is in a checkout after make build, with the program at its top.
checkout ~/chartserve
cp "$(command -v chartserve)" .
mkdir -p /etc/systemd/system /etc/default
