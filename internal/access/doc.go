// Package access decides who may do what: who a request is from (a password of an
// htpasswd file, a token, a client certificate), and which rights that name has.
//
// A Guard holds the rules. It is made of an access file, which docs/access.md and
// docs/access.schema.json describe, or of the short forms in Options, and follows
// the files where somebody follows its Source. Identify is called for each request. What the answer to
// a refused request looks like, and which right a route needs, is decided in httpapi.
//
// No secret is ever in an error or in the log, and nothing that a stranger sends
// either: a password typed in the place of a name would end up there.
package access
