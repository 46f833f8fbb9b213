package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
)

// pluginFolder is the plugin's where Helm installs it: Helm makes that name of the archive's,
// without what begins with a hyphen and a version.
const pluginFolder = "chartserve-helm-plugin"

// plugin makes archives of the Helm plugin, for each platform and each of the two formats.
// Helm 3 wants the files at the archive's root, and no directory: it fails where one is there
// already. Helm 4 wants one directory of the plugin's name.
func (r *release) plugin(context.Context) error {
	for _, p := range r.platforms {
		for format, folder := range map[string]string{"helm3": "", "helm4": pluginFolder + "/"} {
			files, err := r.pluginFiles(p, format)
			if err != nil {
				return err
			}
			for i := range files {
				files[i].name = folder + files[i].name
			}
			if folder != "" {
				files = append([]entry{{name: folder, mode: 0o755}}, files...)
			}
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			if err := errors.Join(r.writeTar(z, files...), z.Close()); err != nil {
				return err
			}
			if err := r.write(fmt.Sprintf("%s-%s_%s_%s_%s.tgz", pluginFolder, r.version, format, p.os, p.arch), packed.Bytes()); err != nil {
				return err
			}
		}
	}
	return nil
}

// pluginFiles are those for p; format is the name of its plugin.yaml.
func (r *release) pluginFiles(p platform, format string) ([]entry, error) {
	from := filepath.Join(r.root, "packaging", "plugin")
	text, err := template.ParseFiles(filepath.Join(from, format+".yaml"))
	if err != nil {
		return nil, err
	}
	var metadata bytes.Buffer
	if err := text.Execute(&metadata, map[string]string{"Version": r.version, "OS": p.os, "Arch": p.arch, "Program": p.program()}); err != nil {
		return nil, err
	}
	program, err := r.programFile(p, p.program())
	if err != nil {
		return nil, err
	}
	licenses, err := r.licenseFiles("")
	files := append([]entry{{"plugin.yaml", 0o644, 0, metadata.Bytes()}, program}, licenses...)
	if err != nil || p.os == "windows" { // where Helm could not run the script
		return files, err
	}
	data, err := os.ReadFile(filepath.Join(from, "plugin.complete"))
	return append(files, entry{"plugin.complete", 0o755, 0, data}), err
}
