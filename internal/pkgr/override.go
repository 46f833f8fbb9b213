package pkgr

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"slices"

	"sigs.k8s.io/yaml"

	"chartserve/internal/chart"
)

// Override returns a copy of c with another version and app version; "" keeps what
// is there. In Chart.yaml the two lines change and everything else stays, to the
// byte. Where the file is written in a way that this can't be done for certain, or
// a field would be there twice, it is marshalled anew, as Helm does always.
func (c *Chart) Override(version, appVersion string) (*Chart, error) {
	if version == "" && appVersion == "" {
		return c, nil
	}
	i := slices.IndexFunc(c.Files, func(f File) bool { return f.Name == chart.MetadataFile })
	if i < 0 {
		return nil, missingMetadata(nil)
	}
	// Parsed again: c may be shared, and Validate writes.
	want, _, err := chart.ParseMetadata(c.Files[i].Data)
	if err != nil {
		return nil, err
	}
	data := c.Files[i].Data
	if version != "" {
		want.Version = version
		data = setField(data, versionLine, "version", version)
	}
	if appVersion != "" {
		want.AppVersion = appVersion
		data = setField(data, appVersionLine, "appVersion", appVersion)
	}
	if err := want.Validate(); err != nil {
		return nil, overrideError(err)
	}
	got, warnings, err := chart.ParseMetadata(data)
	if err != nil || !reflect.DeepEqual(got, want) || !chart.EachFieldOnce(data) {
		if data, err = yaml.Marshal(want); err != nil {
			return nil, err
		}
		if got, warnings, err = chart.ParseMetadata(data); err != nil {
			return nil, overrideError(err)
		}
	}
	if got.APIVersion == chart.APIVersionV1 {
		got.Dependencies = c.Metadata.Dependencies
	}
	d := *c
	d.Metadata = got
	d.Files = slices.Clone(c.Files)
	d.Files[i].Data = data
	d.setKeys(nil)
	d.Warnings = append(slices.Clone(warnings), c.Warnings[c.metaWarnings:]...)
	d.metaWarnings = len(warnings)
	return &d, nil
}

// overrideError blames the override, not the file.
func overrideError(err error) error {
	var ce *chart.Error
	if !errors.As(err, &ce) {
		return err
	}
	e := *ce
	e.File = "override"
	return &e
}

// A top-level field on a line of its own: the text before the value, the value,
// and the text after it.
var (
	versionLine    = regexp.MustCompile(`(?m)^(version:[ \t]*)([^#\r\n]*?)([ \t]*(?:[ \t]#[^\r\n]*)?\r?)$`)
	appVersionLine = regexp.MustCompile(`(?m)^(appVersion:[ \t]*)([^#\r\n]*?)([ \t]*(?:[ \t]#[^\r\n]*)?\r?)$`)
)

// setField sets a top-level field of the first document of a YAML file by its
// text. It may fail to, so the result must be parsed.
func setField(data []byte, line *regexp.Regexp, field, value string) []byte {
	text, err := json.Marshal(value) // a JSON string is a YAML string
	if err != nil {
		return data
	}
	end := firstDocument(data)
	head, tail := data[:end], data[end:]
	matches := line.FindAllSubmatchIndex(head, -1)
	if len(matches) == 0 {
		return slices.Concat(insertField(head, field, text), tail)
	}
	// Of two lines the last one counts.
	m := matches[len(matches)-1]
	before := head[:m[3]]
	if m[2]+len(field)+1 == m[3] {
		before = append(bytes.Clone(before), ' ')
	}
	return slices.Concat(before, text, head[m[6]:], tail)
}

// firstDocument is the length of the first YAML document in data: up to a line
// that starts with "...", or with "---" where something came before.
func firstDocument(data []byte) int {
	at, content := 0, false
	for line := range bytes.Lines(data) {
		marker := bytes.HasPrefix(line, []byte("---"))
		if marker && content || bytes.HasPrefix(line, []byte("...")) {
			break
		}
		text := bytes.TrimSpace(line)
		content = content || !marker && len(text) > 0 && text[0] != '#' && text[0] != '%'
		at += len(line)
	}
	return at
}

// insertField adds a field to the end of a document.
func insertField(doc []byte, field string, text []byte) []byte {
	eol := "\n"
	if bytes.Contains(doc, []byte("\r\n")) {
		eol = "\r\n"
	}
	doc = bytes.Clone(doc)
	if len(doc) > 0 && doc[len(doc)-1] != '\n' {
		doc = append(doc, eol...)
	}
	doc = append(append(doc, field+": "...), text...)
	return append(doc, eol...)
}
