package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// imagePlatforms are those that the image is for.
func imagePlatforms() []platform {
	return []platform{{"linux", "amd64"}, {"linux", "arm64"}}
}

// image makes the container image: an OCI layout of all its platforms as one archive, an
// archive for docker load for each, and its files in DIR/build/OS_ARCH/root.tar, from which
// the Dockerfile makes the same.
func (r *release) image(context.Context) error {
	base, err := r.layer(baseFiles())
	if err != nil {
		return err
	}
	var images []v1.Image
	for _, p := range imagePlatforms() {
		if !slices.Contains(r.platforms, p) {
			continue
		}
		img, err := r.platformImage(p, base)
		if err != nil {
			return err
		}
		images = append(images, img)
		if err := r.dockerArchive(p, img); err != nil {
			return err
		}
	}
	if len(images) == 0 {
		return errors.New("an image is for linux/amd64 or linux/arm64: -platforms has neither")
	}
	return r.ociArchive(images)
}

// layer compresses files.
func (r *release) layer(files []entry) (v1.Layer, error) {
	var b bytes.Buffer
	if err := r.writeTar(&b, files...); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil },
		tarball.WithCompressionLevel(gzip.DefaultCompression), tarball.WithCompressedCaching, tarball.WithMediaType(types.OCILayer))
}

// platformImage has base below the program for p.
func (r *release) platformImage(p platform, base v1.Layer) (v1.Image, error) {
	files, err := r.programFiles(p)
	if err != nil {
		return nil, err
	}
	var all bytes.Buffer
	if err := r.writeTar(&all, append(baseFiles(), files...)...); err != nil {
		return nil, err
	}
	if err := r.write(filepath.Join("build", p.os+"_"+p.arch, "root.tar"), all.Bytes()); err != nil {
		return nil, err
	}
	program, err := r.layer(files)
	if err != nil {
		return nil, err
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err = mutate.Append(img,
		mutate.Addendum{Layer: base, History: r.history("directories, a user, authorities")},
		mutate.Addendum{Layer: program, History: r.history("chartserve " + r.version)})
	if err != nil {
		return nil, err
	}
	file, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Created, file.Config = p.os, p.arch, v1.Time{Time: r.time}, r.imageConfig()
	return mutate.ConfigFile(img, file)
}

func (r *release) history(what string) v1.History {
	return v1.History{Created: v1.Time{Time: r.time}, CreatedBy: "make dist", Comment: what}
}

// imageConfig is how a container is run; the Dockerfile says the same.
func (r *release) imageConfig() v1.Config {
	return v1.Config{
		User:         "65532:65532",
		ExposedPorts: map[string]struct{}{"8879/tcp": {}},
		Env: []string{
			"PATH=/usr/bin",
			"CHARTSERVE_ADDRESS=:8879",
			"CHARTSERVE_REPO_PATH=/data",
			"CHARTSERVE_SOURCE=/charts",
		},
		Entrypoint: []string{"/usr/bin/chartserve"},
		Volumes:    map[string]struct{}{"/data": {}},
		WorkingDir: "/",
		StopSignal: "SIGTERM",
		Labels:     r.labels(),
		Healthcheck: &v1.HealthConfig{
			Test:        []string{"CMD", "/usr/bin/chartserve", "health"},
			Interval:    30 * time.Second,
			Timeout:     10 * time.Second,
			StartPeriod: 10 * time.Second,
			Retries:     3,
		},
	}
}

// labels are of the OCI image specification, as labels and as annotations.
func (r *release) labels() map[string]string {
	labels := map[string]string{
		ocispec.AnnotationTitle:       "chartserve",
		ocispec.AnnotationDescription: "Keeps a Helm chart repository equal to chart source directories, and serves it",
		ocispec.AnnotationVersion:     r.version,
		ocispec.AnnotationCreated:     r.time.Format(time.RFC3339),
		ocispec.AnnotationLicenses:    "Apache-2.0",
	}
	if r.commit != "" {
		labels[ocispec.AnnotationRevision] = r.commit
	}
	return labels
}

// dockerArchive writes what docker load and podman load take.
func (r *release) dockerArchive(p platform, img v1.Image) error {
	tag, err := name.NewTag("chartserve:" + r.version)
	if err != nil {
		return err
	}
	return tarball.WriteToFile(filepath.Join(r.out, "chartserve_"+r.version+"_image_"+p.os+"_"+p.arch+".docker.tar"), tag, img)
}

// ociArchive writes an OCI layout with one entry, the index of all platforms.
func (r *release) ociArchive(images []v1.Image) error {
	folder := filepath.Join(r.out, "build", "image")
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	l, err := layout.Write(folder, empty.Index)
	if err != nil {
		return err
	}
	index, err := r.index(images)
	if err != nil {
		return err
	}
	hash, size, err := v1.SHA256(bytes.NewReader(index))
	if err != nil {
		return err
	}
	for _, img := range images {
		if err := l.WriteImage(img); err != nil {
			return err
		}
	}
	if err := l.WriteBlob(hash, io.NopCloser(bytes.NewReader(index))); err != nil {
		return err
	}
	if err := l.AppendDescriptor(v1.Descriptor{
		MediaType: types.OCIImageIndex,
		Digest:    hash,
		Size:      size,
		Annotations: map[string]string{
			ocispec.AnnotationRefName: r.version,
			// podman load names the image by it.
			"io.containerd.image.name": "localhost/chartserve:" + r.version,
		},
	}); err != nil {
		return err
	}
	var packed bytes.Buffer
	if err := r.writeFolder(&packed, folder); err != nil {
		return err
	}
	return r.write("chartserve_"+r.version+"_image.oci.tar", packed.Bytes())
}

// index lists the platforms in the form in which skopeo writes an index, fields in its order
// and no artifactType: any other it rewrites, and the image then has another digest.
func (r *release) index(images []v1.Image) ([]byte, error) {
	index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Annotations: r.labels()}
	for _, img := range images {
		hash, err := img.Digest()
		if err != nil {
			return nil, err
		}
		size, err := img.Size()
		if err != nil {
			return nil, err
		}
		file, err := img.ConfigFile()
		if err != nil {
			return nil, err
		}
		index.Manifests = append(index.Manifests, ocispec.Descriptor{
			MediaType: ocispec.MediaTypeImageManifest,
			Digest:    digest.Digest(hash.String()),
			Size:      size,
			Platform:  &ocispec.Platform{OS: file.OS, Architecture: file.Architecture},
		})
	}
	return json.Marshal(index)
}
