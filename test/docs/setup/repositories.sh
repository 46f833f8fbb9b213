chart openstack-helm/keystone keystone 1.0.0
chart openstack-helm-infra/mariadb mariadb 1.0.0
archive mychart 1.0.0
