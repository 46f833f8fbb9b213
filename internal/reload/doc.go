// Package reload has what is made of files follow them: access rules, certificates. They
// are read each second, because they are small, and so no way to exchange a file is
// missed: a link that is switched far up the path, as Kubernetes does, or the write of
// another machine, of which no event tells.
package reload
