// Package listen opens what a server is reached by: TCP addresses, unix sockets, and the
// sockets that systemd passes on, with the certificates of HTTPS; and it knows the URLs that
// these have. Messages name the flags of the command. What is answered is httpapi's.
package listen
