package main

import (
	"bytes"
	"context"
	"crypto/sha1"
	"fmt"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// sbom writes sbom.cdx.json: the modules that are linked into the binaries, with their licences,
// as CycloneDX 1.6.
func (r *release) sbom(ctx context.Context) error {
	modules, err := r.linked(ctx, r.platforms)
	if err != nil {
		return err
	}
	path, err := r.output(ctx, goCommand(), "list", "-m")
	if err != nil {
		return err
	}
	bom, err := r.describe(path, modules)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := cdx.NewBOMEncoder(&b, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return err
	}
	return r.write("sbom.cdx.json", b.Bytes())
}

// describe is the document: chartserve, whose module has that path, depends on all modules.
func (r *release) describe(path string, modules []module) (*cdx.BOM, error) {
	program := component(path, r.version)
	program.Type = cdx.ComponentTypeApplication
	program.Licenses = &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}}
	if r.commit != "" {
		program.Properties = &[]cdx.Property{{Name: "chartserve:commit", Value: r.commit}}
	}
	components, refs := []cdx.Component{}, []string{}
	for _, m := range modules {
		c := component(m.path, m.version)
		var err error
		if c.Licenses, err = licensesOf(m); err != nil {
			return nil, err
		}
		components, refs = append(components, c), append(refs, c.BOMRef)
	}
	return &cdx.BOM{
		BOMFormat:    cdx.BOMFormat,
		SpecVersion:  cdx.SpecVersion1_6,
		Version:      1,
		SerialNumber: serialNumber(r.version, r.commit, fmt.Sprint(refs)),
		Metadata:     &cdx.Metadata{Timestamp: r.time.Format(time.RFC3339), Component: &program},
		Components:   &components,
		Dependencies: &[]cdx.Dependency{{Ref: program.BOMRef, Dependencies: &refs}},
	}, nil
}

// component is a Go module.
func component(path, version string) cdx.Component {
	purl := "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
	return cdx.Component{Type: cdx.ComponentTypeLibrary, BOMRef: purl, Name: path, Version: version, PackageURL: purl}
}

// licensesOf lists the licences of a module that SPDX has an identifier for. Go's own is known:
// distributions leave its text out.
func licensesOf(m module) (*cdx.Licenses, error) {
	if m.path == standard {
		return &cdx.Licenses{{License: &cdx.License{ID: "BSD-3-Clause"}}}, nil
	}
	found, err := notices([]module{m})
	if err != nil {
		return nil, err
	}
	var all cdx.Licenses
	for _, n := range found {
		for _, kind := range n.kinds {
			if !strings.HasPrefix(kind, "Google") { // a grant of patents
				all = append(all, cdx.LicenseChoice{License: &cdx.License{ID: kind}})
			}
		}
	}
	return &all, nil
}

// serialNumber is a UUID that follows from parts: version 5 of RFC 9562, but for the namespace.
func serialNumber(parts ...string) string {
	u := sha1.Sum([]byte("chartserve " + strings.Join(parts, " ")))
	u[6], u[8] = u[6]&0x0f|0x50, u[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:16])
}
