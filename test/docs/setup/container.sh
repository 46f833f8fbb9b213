# An image of the name that make dist gives to chartserve's, and the registry that it goes to.
policy
image chartserve:0.1.0 image.tar
skopeo copy docker-archive:image.tar oci-archive:chartserve_0.1.0_image.oci.tar:0.1.0
certificate registry.example.com
beside chartserve --address registry.example.com:443 --tls-cert tls.crt --tls-key tls.key --allow-upload --repo-path registry
