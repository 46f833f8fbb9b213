package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"chartserve/internal/metrics"
	"chartserve/internal/repo"
	"chartserve/internal/settings"
)

func indexPage(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# Reference\n\nEverything that there is, a line or a paragraph each. These pages are made of the code by `make reference`, and a test fails\n" +
		"where they differ from it. Those of commands are the manual pages too.\n\n## Commands\n\n")
	for _, cmd := range documented(root) {
		fmt.Fprintf(&b, "- [%s](%s): %s.\n", cmd.CommandPath(), pageOf(cmd), prose(lower(cmd.Short)))
	}
	b.WriteString(`
## Settings

- [settings.md](settings.md): each key of a settings file; [config.schema.json](../config.schema.json) is its schema.
- [environment.md](environment.md): each variable.
- [access.md](access.md): each field of an access file; [access.schema.json](../access.schema.json) is its schema.
- [mirror.md](mirror.md): each field of a mirror.yaml; [mirror.schema.json](../mirror.schema.json) is its schema.

## The server

- [routes.md](routes.md): each path that answers, and who may ask; [openapi.yaml](../openapi.yaml) has the forms of the API.
- [status.md](status.md): each field of /status; [status.schema.json](../status.schema.json) is its schema.
- [metrics.md](metrics.md): each metric.
- [pages.md](../pages.md): the pages that people see.
`)
	return b.String()
}

func lower(text string) string { return strings.ToLower(text[:1]) + text[1:] }

func settingsPage(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# chartserve.yaml\n\nThe keys of a settings file.\n\n## Description\n\n" +
		"`--config` names the file, or the variable `CHARTSERVE_CONFIG`. It is YAML; [configuration.md](../configuration.md) tells its form\n" +
		"and what wins over what. Behind each meaning are the commands that have it; all others pass over the key.\n\n## Keys\n")
	all := keys(root)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		owners := all[key]
		fmt.Fprintf(&b, "\n**%s**\n\n%s.", key, kindText(owners))
		for _, text := range meanings(owners) {
			b.WriteString(" " + sentence(text))
		}
		if d := shownDefault(owners[0].flag); d != "" && property(owners).(map[string]any)["default"] != nil {
			b.WriteString(" Default: " + d + ".")
		}
		b.WriteString("\n")
	}
	b.WriteString("\n## See also\n\n[chartserve config](chartserve-config.md), [environment](environment.md)\n")
	return b.String()
}

// kindText says what may be written behind a key.
func kindText(owners []owner) string {
	var texts []string
	for _, o := range owners {
		f := formOf(o.flag)
		text := ""
		switch {
		case len(f.allowed) > 0:
			text = "One of `" + strings.Join(f.allowed, "`, `") + "`"
		case slices.Contains(f.kinds, settings.List):
			text = "A text, or a list of texts"
		case slices.Contains(f.kinds, settings.Bool) && slices.Contains(f.kinds, settings.String):
			text = "`true`, `false` or a text"
		case f.kinds[0] == settings.Bool:
			text = "`true` or `false`"
		case o.flag.Value.Type() == "int":
			text = "A whole number"
		case f.pattern != "":
			text = "A " + o.flag.Value.Type()
		default:
			text = "A text"
		}
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, ". ")
}

func environmentPage(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# Environment\n\nThe variables that chartserve reads. An empty one counts as unset. The command line wins over a settings file, and the file over\n" +
		"the environment. Values of a flag that can be given several times are separated by commas or newlines.\n\n## Of flags\n\n| Variable | Flag | Commands |\n| --- | --- | --- |\n")
	all := settable(root)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		var commands []string
		flag := "`--" + name + "`"
		for _, o := range all[name] {
			if o.flag.Hidden {
				flag = "`SOURCE`, `--" + name + "`"
			}
			if o.cmd.HasParent() && o.cmd.Parent().Name() != "completion" {
				commands = append(commands, strings.TrimPrefix(o.cmd.CommandPath(), "chartserve "))
			}
		}
		if len(commands) > 0 {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", envName(all[name][0].flag), flag, strings.Join(commands, ", "))
		}
	}
	b.WriteString("\n## Others\n\n| Variable | Meaning |\n| --- | --- |\n")
	for _, row := range [][2]string{
		{passphraseVariable, "The passphrase of `--key`, where `--passphrase-file` names none."},
		{envPrefix + userVariable + "`, `" + userVariable, "With the next: the name of a user who may do everything. A server with them asks who reads for a login."},
		{envPrefix + passwordVariable + "`, `" + passwordVariable, "The password of that user."},
		{"SOURCE_DATE_EPOCH", "Seconds since 1970: the timestamp inside archives, and the dates in the index."},
		{"HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY", "The proxy for what is fetched from, or sent to, other hosts."},
		{"LISTEN_FDS`, `LISTEN_PID`, `LISTEN_FDNAMES", "Set by systemd: sockets that a server takes in place of `--address`."},
		{"NOTIFY_SOCKET", "Set by systemd: where a server says that it is ready."},
		{"GOGC`, `GOMEMLIMIT", "Go's own settings of memory; with one of them chartserve makes none."},
		{"TMPDIR", "Where files go that nobody else reads."},
		{"PATH", "Where `helm` is found, for `--render` and `--allow-helm-template`."},
	} {
		fmt.Fprintf(&b, "| `%s` | %s |\n", row[0], row[1])
	}
	b.WriteString("\nA mirror.yaml names variables of its own, in `usernameEnv`, `passwordEnv` and `tokenEnv`. A variable that begins with `CHARTSERVE_`\nand is none of these is a warning.\n")
	return b.String()
}

// metricsPage asks a server that has done everything once.
func metricsPage(t *testing.T) string {
	m := metrics.New("x")
	m.Answered("", "/", "GET", 200, 1, time.Second)
	m.Connections(func() int { return 0 })
	m.Repository("", func() *repo.View { return repo.EmptyView(repo.Options{}, time.Now()) })
	w := httptest.NewRecorder()
	m.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	help, kinds, labels := map[string]string{}, map[string]string{}, map[string][]string{}
	label := regexp.MustCompile(`(\w+)="`)
	for line := range strings.Lines(w.Body.String()) {
		fields := strings.SplitN(strings.TrimSpace(line), " ", 4)
		name, _, _ := strings.Cut(fields[0], "{")
		switch {
		case fields[0] == "#" && fields[1] == "HELP":
			help[fields[2]] = fields[3]
		case fields[0] == "#":
			kinds[fields[2]] = fields[3]
		case labels[name] == nil:
			for _, l := range label.FindAllStringSubmatch(line, -1) {
				if l[1] != "le" {
					name = strings.TrimSuffix(name, "_bucket")
					labels[name] = append(labels[name], "`"+l[1]+"`")
				}
			}
		}
	}
	var b strings.Builder
	b.WriteString("# Metrics\n\nWhat `/metrics` tells Prometheus, with `--enable-metrics` or on the `--metrics-address`.\n[operations/monitoring.md](../operations/monitoring.md) says which to watch. The label `repo` is the name of the repository, empty for\n" +
		"the root one. Besides there are those of the Go runtime, `go_...`, and of the process, `process_...`.\n\n| Metric | Type | Labels | Meaning |\n| --- | --- | --- | --- |\n")
	for _, name := range slices.Sorted(maps.Keys(help)) {
		if !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			slices.Sort(labels[name])
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, kinds[name], strings.Join(slices.Compact(labels[name]), ", "), prose(help[name]))
		}
	}
	if strings.Count(b.String(), "\n| `chart") < 15 {
		t.Errorf("where are the metrics?\n%s", &b)
	}
	return b.String()
}

// schemaPage is docs/NAME.schema.json as a table.
func schemaPage(t *testing.T, name string) string {
	data, err := os.ReadFile("../../docs/" + name + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	s := new(schemaTable)
	if err := json.Unmarshal(data, &s.root); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&s.b, "# %s\n\n%s [%s.schema.json](../%s.schema.json) says it to programs. Fields with a star are always there.\n",
		s.root["title"], prose(s.root["description"].(string)), name, name)
	s.table("Fields", s.root)
	defs, _ := s.root["$defs"].(map[string]any)
	for _, def := range slices.Sorted(maps.Keys(defs)) {
		if object := defs[def].(map[string]any); object["properties"] != nil {
			s.table(def, object)
		}
	}
	for _, row := range s.silent {
		t.Errorf("%s.schema.json: %s has no description", name, row)
	}
	return s.b.String()
}

type schemaTable struct {
	root   map[string]any
	b      strings.Builder
	silent []string // fields without a description
}

func (s *schemaTable) table(title string, object map[string]any) {
	fmt.Fprintf(&s.b, "\n## %s\n\n| Field | Type | Meaning |\n| --- | --- | --- |\n", title)
	s.fields("", object)
}

// fields writes a row for each property of an object, and for those below it.
func (s *schemaTable) fields(at string, object map[string]any) {
	properties, _ := object["properties"].(map[string]any)
	required, _ := object["required"].([]any)
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		field := properties[key].(map[string]any)
		text, _ := field["description"].(string)
		if text == "" {
			s.silent = append(s.silent, at+key)
		}
		star := ""
		if slices.Contains(required, any(key)) {
			star = " \\*"
		}
		fmt.Fprintf(&s.b, "| `%s%s`%s | %s | %s |\n", at, key, star, s.kind(field), sentence(strings.TrimSuffix(text, ".")))
		below := at + key + "."
		if items, ok := field["items"].(map[string]any); ok {
			field, below = items, at+key+"[]."
		}
		s.fields(below, field)
	}
}

// kind is the type of a field in words.
func (s *schemaTable) kind(field map[string]any) string {
	if ref, ok := field["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/$defs/")
		if def := s.root["$defs"].(map[string]any)[name].(map[string]any); def["properties"] == nil {
			return s.kind(def)
		}
		return "[" + name + "](#" + strings.ToLower(name) + ")"
	}
	if words, ok := field["enum"].([]any); ok {
		return strings.ReplaceAll(strings.Trim(fmt.Sprint(words), "[]"), " ", ", ")
	}
	text := strings.Join(strings.Fields(strings.Trim(fmt.Sprint(field["type"]), "[]")), " or ")
	if format, ok := field["format"].(string); ok {
		text = format
	}
	if items, ok := field["items"].(map[string]any); ok {
		text = strings.Replace(text, "array", "list of "+s.kind(items), 1)
	}
	return text
}
