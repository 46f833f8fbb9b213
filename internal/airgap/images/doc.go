// Package images finds the container images that charts name, so that a site
// without a network can be given all of them.
//
// Find reads a chart's values, those of its sub-charts as their parents override
// them, the annotations that list images, and templates. Manifests reads what `helm template`
// printed, and Renderer runs it. A List merges what was found in many charts and
// writes it, as plain text, as JSON and in the form that `skopeo sync` reads. A Scan makes
// one of directories, archives and repository folders.
//
// Values follow no schema, so Find goes by the shapes that charts share; shape.go
// and text.go hold the rules. Each "image:" line of a template is printed on its own, with
// text/template and the functions of sprig that names are made with: what it prints wins
// over a guess from the values. What looks like an image without saying which one is
// never left out in silence: it is an Undecided. Images are listed whether or not
// the default values enable what needs them, because an operator can enable it
// where there is no network; those of sub-charts that are off by default are
// marked as such.
//
// Which charts there are, and their dependencies, is decided in package repo;
// charts are read by package pkgr. Nothing here touches a registry.
package images
