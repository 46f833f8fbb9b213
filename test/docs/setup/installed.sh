# The reader has installed a package.
mkdir -p /etc/systemd/system /etc/default /etc/chartserve
cp /opt/repository/packaging/systemd/chartserve.service /etc/systemd/system/
cp /opt/repository/packaging/etc/chartserve.yaml /etc/chartserve/
cp "$(command -v chartserve)" /usr/bin/
