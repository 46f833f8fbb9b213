chart made/nova nova 1.0.0
chartserve build --repo-path outside made
elsewhere outside
mkdir -p /var/lib/chartserve
# What the package brings.
groupadd --system chartserve
mkdir -p /etc/chartserve && touch /etc/chartserve/users
