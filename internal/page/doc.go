// Package page makes what people see of a repository: pages of a repo.View and of the
// archives in it, as HTML and as plain text. Which path shows a page, and who may see it,
// is the business of package httpapi.
//
// All that a chart says is hostile text. html/template escapes it where it is shown as it
// is; packages markup, values, diff and graph make the rest inert.
package page
