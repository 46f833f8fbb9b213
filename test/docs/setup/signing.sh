key ann
key bob
echo >pass
chart charts/nova nova 1.0.0
chart made/heat heat 1.0.0
gpg --export-secret-keys bob@example.com >bob.gpg
chartserve build --sign --key bob --keyring bob.gpg --repo-path elsewhere made
elsewhere elsewhere
chartserve bundle create -o site.bundle.tar --repo-path elsewhere
