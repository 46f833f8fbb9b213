package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"chartserve/internal/settings"
)

func newConfigSchema() *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON schema of settings files",
		Long:    configSchemaLong,
		Example: configExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return writeJSON(cmd.OutOrStdout(), configSchema(newRoot(func() {})))
		},
	}
}

const configSchemaLong = `Schema prints the JSON schema of settings files, for editors and other programs: every
key, what it is for, its type, its words and its default. What a schema can't say,
such as which keys need each other, chartserve config check knows.`

// configSchema describes the settings files of the commands below root.
func configSchema(root *cobra.Command) map[string]any {
	properties := map[string]any{}
	for key, owners := range keys(root) {
		properties[key] = property(owners)
	}
	return map[string]any{
		"$schema":              "https://json-schema.org/draft/2020-12/schema",
		"title":                "chartserve.yaml",
		"description":          "Settings of chartserve: --config FILE. Keys are the names of flags; each command passes over those of others.",
		"type":                 []string{"object", "null"},
		"additionalProperties": false,
		"properties":           properties,
	}
}

// property is the schema of the values of one key, which owners have.
func property(owners []owner) any {
	var forms []map[string]any
	for _, o := range owners {
		s := valueSchema(o.flag)
		if !slices.ContainsFunc(forms, func(other map[string]any) bool { return sameJSON(s, other) }) {
			forms = append(forms, s)
		}
	}
	p := map[string]any{"anyOf": forms}
	if len(forms) == 1 {
		p = forms[0]
	}
	p["description"] = strings.Join(meanings(owners), "\n")
	if value := defaultOf(owners[0].flag); value != nil && !slices.ContainsFunc(owners, func(o owner) bool { return o.flag.DefValue != owners[0].flag.DefValue }) {
		p["default"] = value
	}
	return p
}

func sameJSON(a, b any) bool {
	x, _ := json.Marshal(a) // of texts and numbers
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
}

// valueSchema is the schema of the values of a flag. What is empty is not set.
func valueSchema(f *pflag.Flag) map[string]any {
	form := formOf(f)
	s := map[string]any{}
	types := []string{"null"}
	for _, kind := range form.kinds {
		switch kind {
		case settings.Bool:
			types = append(types, "boolean")
		case settings.Number:
			types = append(types, "integer")
		case settings.String:
			types = append(types, "string")
		case settings.List:
			types = append(types, "array")
			s["items"] = map[string]any{"type": "string", "pattern": `\S`}
		}
	}
	s["type"] = types
	switch {
	case len(form.allowed) > 0:
		words := []any{nil, ""}
		for _, word := range form.allowed {
			words = append(words, word)
		}
		s["enum"] = words
	case form.pattern != "":
		s["pattern"] = `^(` + form.pattern + `)?$`
	}
	for i, bound := range form.numbers {
		s[[]string{"minimum", "maximum"}[i]] = bound
	}
	return s
}

// meanings says what a key is for, and in which commands: a text for each thing that it is
// for.
func meanings(owners []owner) (texts []string) {
	commands := map[string][]string{}
	for _, o := range owners {
		if o.cmd.HasParent() { // the root is serve
			_, usage := plainUsage(o.flag)
			if commands[usage] == nil {
				texts = append(texts, usage)
			}
			commands[usage] = append(commands[usage], strings.TrimPrefix(o.cmd.CommandPath(), o.cmd.Root().Name()+" "))
		}
	}
	for i, usage := range texts {
		texts[i] = fmt.Sprintf("%s (%s)", strings.TrimSuffix(usage, " (repeatable)"), strings.Join(commands[usage], ", "))
	}
	return texts
}

// defaultOf is the value of a flag that nothing sets, as a settings file has it; nil: none.
func defaultOf(f *pflag.Flag) any {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		if len(list.GetSlice()) == 0 {
			return nil
		}
		return list.GetSlice()
	}
	switch f.Value.Type() {
	case "bool":
		return f.DefValue == "true"
	case "int":
		n, _ := strconv.Atoi(f.DefValue) // it is one
		return n
	}
	if f.DefValue == "" {
		return nil
	}
	return f.DefValue
}
