cp -r /opt/repository/charts .
chart made/hello hello 0.2.0
chartserve package made/hello
policy
for image in image nginx; do
  # The same bytes each time: the page shows them in the order of their digests.
  openssl enc -aes-128-ctr -K $(printf %032d 1) -iv $(echo $image | sha256sum | head -c 32) </dev/zero 2>/dev/null | head -c 3000000 >layer || true
  tar --mtime=@0 --owner=0 --group=0 --mode=644 -cf layer.tar layer
  crane append --oci-empty-base -f layer.tar -t library/$image:1.0 -o $image.tar
done
echo notes >notes.txt
echo s3cret >password
htpasswd -ciB users ann <password
