//go:build tools

package cmpush

import _ "github.com/chartmuseum/helm-push/cmd/helm-cm-push"
