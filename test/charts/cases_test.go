package charts

import "strings"

// cases are values of the chart of chartserve: each of its options alone, and all at once.
func cases() map[string]string {
	alone := map[string]string{
		"stopped":           "replicas: 0",
		"digest":            "image: {repository: registry.example.com/site/chartserve, digest: \"sha256:" + strings.Repeat("a", 64) + "\", pullPolicy: Always, pullSecrets: [{name: registry}]}",
		"names":             "nameOverride: charts\nfullnameOverride: site-charts",
		"long name":         "fullnameOverride: " + strings.Repeat("long-", 30) + "name",
		"labels":            "labels: {team: a}\npodAnnotations: {a: \"1\"}",
		"config":            "config: {allow-upload: true, keep: 20, max-connections: 1000000, context-path: /helm, own-url: [\"https://a.example.com/charts\", \"https://b.example.com/charts\"], log-format: json, keep-for: 90d, digest-urls: false}",
		"sources":           "sources: [/srv/charts, '/srv/more/*']\nextraVolumes: [{name: charts, persistentVolumeClaim: {claimName: sources, readOnly: true}}]\nextraVolumeMounts: [{name: charts, mountPath: /srv, readOnly: true}]",
		"git":               "gitSync: {enabled: true, repository: 'https://git.example.com/charts.git'}",
		"git by ssh":        "gitSync: {enabled: true, repository: 'git@git.example.com:site/charts.git', existingSecret: git, paths: [charts, /infra/], extraArgs: [--submodules=off]}",
		"git with password": "gitSync: {enabled: true, repository: 'https://git.example.com/charts.git', existingSecret: git, ref: v1, depth: 0, paths: ['charts/*'], image: {digest: \"sha256:" + strings.Repeat("b", 64) + "\"}}",
		"no volume":         "persistence: {enabled: false}",
		"claim":             "persistence: {existingClaim: charts}",
		"template":          "persistence: {storageClass: fast, size: 100Gi, accessModes: [ReadWriteOncePod], annotations: {a: b}}",
		"https":             "tls: {existingSecret: tls}",
		"certificates":      "tls: {existingSecret: tls, clientCASecret: ca}",
		"users":             "config: {allow-upload: true}\naccess: {htpasswd: \"" + user + "\", anonymousRead: true}",
		"tokens":            "access: {tokens: \"" + token + "\"}",
		"rules":             "config: {allow-upload: true}\naccess: {htpasswd: \"" + user + "\", tokens: \"" + token + "\", rules: {htpasswd: [htpasswd], tokenFiles: [tokens], grants: [{names: ['*'], rights: [read]}]}}",
		"secret":            "access: {existingSecret: access, keys: [htpasswd, tokens]}",
		"secret of rules":   "access: {existingSecret: access, keys: [access.yaml]}",
		"node port":         "service: {type: NodePort, nodePort: 30879, port: 80, annotations: {a: b}}",
		"ingress":           "ingress: {enabled: true, className: nginx, hosts: [a.example.com, b.example.com], annotations: {a: b}, tls: [{hosts: [a.example.com], secretName: tls}]}",
		"bare ingress":      "ingress: {enabled: true, hosts: ['*.example.com'], path: /charts}",
		"gateway":           "httpRoute: {enabled: true, parentRefs: [{name: public, namespace: gateways, sectionName: https}], hostnames: [charts.example.com], timeouts: {request: 0s}, annotations: {a: b}}",
		"bare gateway":      "httpRoute: {enabled: true, parentRefs: [{name: public}], path: /charts}",
		"metrics":           "metrics: {enabled: true}",
		"monitor":           "metrics: {enabled: true, port: 9999, serviceMonitor: {enabled: true, labels: {release: prometheus}, interval: 1m}}",
		"policy":            "networkPolicy: {enabled: true}",
		"strict policy":     "metrics: {enabled: true}\nnetworkPolicy: {enabled: true, from: [{namespaceSelector: {}}], metricsFrom: [{podSelector: {matchLabels: {app: prometheus}}}], egress: [{ports: [{port: 443}], to: [{ipBlock: {cidr: 192.0.2.0/24}}]}]}",
		"policy with git":   "networkPolicy: {enabled: true}\ngitSync: {enabled: true, repository: 'https://git.example.com/charts.git'}",
		"policy, downloads": "networkPolicy: {enabled: true}\nconfig: {fetch-dependencies: true}",
		"budget":            "podDisruptionBudget: {enabled: true}",
		"own account":       "serviceAccount: {create: false, name: charts}",
		"default account":   "serviceAccount: {create: false}",
		"account":           "serviceAccount: {name: charts, annotations: {a: b}}",
		"placed":            "nodeSelector: {disk: ssd}\ntolerations: [{operator: Exists}]\naffinity: {nodeAffinity: {}}\ntopologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]\npriorityClassName: high",
		"times":             "startupProbe: {failureThreshold: 900}\nreadinessProbe: {initialDelaySeconds: 1}\nlivenessProbe: {timeoutSeconds: 9}\nterminationGracePeriodSeconds: 60",
		"more":              "extraArgs: [--log-level=debug]\nextraEnv: [{name: GOMAXPROCS, value: '2'}]\nextraInitContainers: [{name: first, image: a}]\nextraContainers: [{name: beside, image: b}]\nextraVolumes: [{name: v, emptyDir: {}}]\nextraVolumeMounts: [{name: v, mountPath: /v}]",
		"no security":       "podSecurityContext: null\nsecurityContext: null\nresources: null",
	}
	all := map[string]string{"defaults": "{}", "everything": everything}
	for name, values := range alone {
		all[name] = values
	}
	return all
}

const (
	user  = "ann:$2y$05$nBQFn72.sdreCPaVoiL1/OeeEsDvIimiY8Ywkze.SpbMMO4kvE6X2" // ann, s3cret
	token = "ci sha256:0000000000000000000000000000000000000000000000000000000000000000 rights=upload"
)

// everything turns all on.
const everything = `
labels: {team: a}
config: {allow-upload: true, log-format: json, url: "https://charts.example.com/charts", allowed-host: [charts.example.com]}
sources: [/srv]
gitSync: {enabled: true, repository: "https://git.example.com/charts.git", existingSecret: git, paths: [charts]}
tls: {existingSecret: tls, clientCASecret: ca}
access: {htpasswd: "` + user + `", tokens: "` + token + `", anonymousRead: true}
ingress: {enabled: true, className: nginx, hosts: [charts.example.com], tls: [{hosts: [charts.example.com], secretName: charts}]}
httpRoute: {enabled: true, parentRefs: [{name: public}], hostnames: [charts.example.com]}
metrics: {enabled: true, serviceMonitor: {enabled: true}}
networkPolicy: {enabled: true, from: [{podSelector: {}}]}
podDisruptionBudget: {enabled: true}
podAnnotations: {a: b}
extraArgs: [--log-level=debug]
extraEnv: [{name: GOMAXPROCS, value: "2"}]
extraVolumes: [{name: charts, emptyDir: {}}]
extraVolumeMounts: [{name: charts, mountPath: /srv}]
`

// refused are values that the schema has to refuse, and a part of what Helm says of them.
func refused() map[string]struct{ values, says string } {
	return map[string]struct{ values, says string }{
		"two servers":           {"replicas: 2", "replicas"},
		"unknown value":         {"persistance: {enabled: false}", "persistance"},
		"unknown below":         {"gitSync: {repo: x}", "repo"},
		"git without a URL":     {"gitSync: {enabled: true}", "gitSync"},
		"a flag of the chart's": {"config: {address: ':80'}", "address"},
		"an unknown flag":       {"config: {alow-upload: true}", "alow-upload"},
		"a flag's type":         {"config: {keep: many}", "keep"},
		"a password":            {"config: {password: s3cret}", "password"},
		"a flag with dashes":    {"config: {--allow-upload: true}", "--allow-upload"},
		"nothing":               {"config: null", "config"},
		"number for text":       {"image: {tag: 1.0}", "tag"},
		"no digest":             {"image: {digest: abc}", "digest"},
		"authority alone":       {"tls: {clientCASecret: ca}", "clientCASecret"},
		"secret without keys":   {"access: {existingSecret: a}", "keys"},
		"keys without secret":   {"access: {keys: [tokens]}", "keys"},
		"secret and contents":   {"access: {existingSecret: a, keys: [tokens], htpasswd: x}", "htpasswd"},
		"rules and anonymous":   {"access: {anonymousRead: true, rules: {grants: []}}", "rules"},
		"ingress without hosts": {"ingress: {enabled: true}", "hosts"},
		"route of no gateway":   {"httpRoute: {enabled: true}", "parentRefs"},
		"monitor of nothing":    {"metrics: {serviceMonitor: {enabled: true}}", "metrics"},
		"metrics' port taken":   {"metrics: {enabled: true, port: 8879}", "metrics"},
		"port":                  {"service: {port: 70000}", "port"},
		"path":                  {"ingress: {enabled: true, hosts: [a], path: charts}", "path"},
		"name":                  {"persistence: {existingClaim: My_Claim}", "existingClaim"},
	}
}
