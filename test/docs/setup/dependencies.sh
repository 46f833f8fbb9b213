needs() { printf '%s\n' dependencies: "- {name: $1, version: ^1.0, repository: '$2'}"; }
chart stable/toolkit toolkit 1.1.0
chart incubator/toolkit toolkit 1.2.0
chart stable/nova nova 1.0.0 "$(needs toolkit https://charts.example.com/stable)"
chart incubator/heat heat 1.0.0 "$(needs toolkit https://charts.example.com/incubator)"
chart charts/toolkit toolkit 1.0.0
chart charts/nova nova 1.0.0 "$(needs toolkit oci://registry.example.com/charts)"
chart made/mariadb mariadb 1.0.0
chartserve build --repo-path elsewhere made
htpasswd -cbB users reader ...
elsewhere elsewhere --htpasswd users
