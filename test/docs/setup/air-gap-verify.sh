rm -r public
chart made/helm-toolkit helm-toolkit 0.1.0
chart made/nova nova 1.0.0 dependencies: '- {name: helm-toolkit, version: ^0.1, repository: "https://charts.example.com"}'
mkdir made/nova/charts && cp -r made/helm-toolkit made/nova/charts
chart made/keystone keystone 0.1.0
chartserve package -d public made/nova made/keystone
chartserve index public && rm public/keystone-0.1.0.tgz
# What the next section names.
cp public/nova-1.0.0.tgz .
mkdir charts && cp -r made/nova charts
chart web web 1.0.0
printf 'hook:\n  image: "{{ .Values.x }}"\n' >web/values.yaml
chart keystone keystone 1.0.0 'dependencies:' '- {name: postgresql, version: 1.0.0, condition: postgresql.enabled}'
chart keystone/charts/postgresql postgresql 1.0.0
printf 'postgresql: {enabled: false}\n' >keystone/values.yaml
printf 'image: {registry: docker.io, repository: bitnami/postgresql, tag: 16.2.0}\n' >keystone/charts/postgresql/values.yaml
chartserve package keystone
echo 'images: {tags: {nova: docker.io/openstackhelm/nova:site}}' >nova.yaml
echo 'global: {imageRegistry: registry.example.com}' >global.yaml
