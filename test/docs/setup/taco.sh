tree=~/tacoplay/charts
for name in helm-toolkit nova neutron glance keystone heat cinder horizon; do chart $tree/taco-helm-charts/$name $name 1.0.0; done
for name in elasticsearch fluentbit kibana prometheus grafana; do chart $tree/taco-addons/$name $name 1.0.0; done
(cd $tree/taco-addons && archive nova 0.9.0 && rm -r made)
