package pkgr

import (
	"encoding/json"
	"strings"

	"sigs.k8s.io/yaml"

	"chartserve/internal/chart"
)

// The files of a chart that have a meaning of their own, besides those that
// package chart names.
const (
	valuesFile = "values.yaml"
	schemaFile = "values.schema.json"
)

// metadata reads Chart.yaml, requirements and locks.
func (a *assembler) metadata(c *Chart, p *parts, files []File) (err error) {
	data, ok := p.special[chart.MetadataFile]
	if !ok {
		return missingMetadata(files)
	}
	for _, name := range [...]string{chart.MetadataFile, chart.RequirementsFile, chart.LockFile, chart.RequirementsLockFile} {
		if err := a.budget.metadata(name, p.special[name]); err != nil {
			return err
		}
	}
	if c.Metadata, c.Warnings, err = chart.ParseMetadata(data); err != nil {
		return err
	}
	c.metaWarnings = len(c.Warnings)
	if data, ok := p.special[chart.RequirementsFile]; ok {
		if err := a.requirements(c, p, data); err != nil {
			return err
		}
	}
	if data, ok := p.special[chart.LockFile]; ok {
		if c.Lock, err = chart.ParseLock(chart.LockFile, data); err != nil {
			return err
		}
	}
	// Where there are both, Helm lets this one win.
	if data, ok := p.special[chart.RequirementsLockFile]; ok {
		if c.Lock, err = chart.ParseLock(chart.RequirementsLockFile, data); err != nil {
			return err
		}
		if c.Metadata.APIVersion != chart.APIVersionV1 {
			p.special[chart.LockFile] = data
		}
	}
	return nil
}

// requirements takes the dependencies of requirements.yaml over, as Helm 3 and 4
// do. That file is not in the archive of a v2 chart: Helm writes its content into
// Chart.yaml.
func (a *assembler) requirements(c *Chart, p *parts, data []byte) error {
	md := c.Metadata
	deps, declares, err := chart.LayRequirements(md, data)
	if err != nil || !declares {
		return err
	}
	md.Dependencies = deps
	if md.APIVersion == chart.APIVersionV1 {
		return nil
	}
	if !a.source {
		c.Warnings = append(c.Warnings, "requirements.yaml: charts of apiVersion v2 declare dependencies in Chart.yaml; Helm reads them from here all the same")
		return nil
	}
	c.Warnings = append(c.Warnings, "requirements.yaml: charts of apiVersion v2 declare dependencies in Chart.yaml; the archive has them there")
	p.special[chart.MetadataFile], err = yaml.Marshal(md)
	return err
}

// content checks the files that Helm parses besides the metadata, where that was
// not done while they were read.
func (a *assembler) content(c *Chart, p *parts) error {
	if a.judged {
		return nil
	}
	warnings, err := a.checker.values(a.budget, p.special[valuesFile])
	if err != nil {
		return err
	}
	c.Warnings = append(c.Warnings, warnings...)
	if data, ok := p.special[schemaFile]; ok {
		return checkSchema(data)
	}
	return nil
}

// checkSchema refuses a values.schema.json that is no JSON. Helm loads a chart with
// it and can't install it.
func checkSchema(data []byte) error {
	if json.Valid(data) {
		return nil
	}
	return chart.Refuse(chart.ErrFile, schemaFile, "not valid JSON", "mend it: Helm can't install the chart with it")
}

// missingMetadata complains that there is no Chart.yaml, and looks for what may
// have been meant.
func missingMetadata(files []File) error {
	e := chart.Refuse(chart.ErrMetadata, chart.MetadataFile, "missing", "every chart needs one; `helm create` writes an example")
	for _, f := range files {
		if strings.EqualFold(f.Name, "Chart.yaml") || strings.EqualFold(f.Name, "Chart.yml") {
			e.Reason = "missing, but there is " + f.Name
			e.Remedy = "rename it to Chart.yaml"
		}
	}
	return e
}
