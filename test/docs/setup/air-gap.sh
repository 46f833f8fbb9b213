# What is outside: a repository, and the images that its charts name.
chart made/nova-1.2.0 nova 1.2.0
cat >made/nova-1.2.0/values.yaml <<'END'
images:
  tags:
    nova: docker.io/openstackhelm/nova:2025.2-ubuntu_noble
    dep_check: docker.io/airshipit/kubernetes-entrypoint:v1.0.0
    rabbit: docker.io/library/rabbitmq:3.13-management
    pause: registry.k8s.io/pause:3.10
END
for version in 1.1.0 1.2.1; do cp -r made/nova-1.2.0 made/nova-$version && sed -i "s/^version: .*/version: $version/" made/nova-$version/Chart.yaml; done
for version in 1.0.0 1.1.0 1.2.0 1.3.0; do chart made/mariadb-$version mariadb $version; done
chartserve build --repo-path outside made
elsewhere outside --allow-upload
for image in $(chartserve images made); do image $image; done
# The registry of the site.
beside chartserve --address registry.example.com:443 --tls-cert ~/.elsewhere/tls.crt --tls-key ~/.elsewhere/tls.key --allow-upload --repo-path registry
policy
