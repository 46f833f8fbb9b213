package images

import (
	"fmt"

	"chartserve/internal/chart"
)

// annotations adds what Chart.yaml says of its images: artifacthub.io/images,
// helm.sh/images, and images, which bitnami's charts have. All are lists of mappings
// with an image.
func (s *search) annotations(n *node) {
	s.file, s.from = n.dir+chart.MetadataFile, "annotation"
	for _, name := range []string{"artifacthub.io/images", "helm.sh/images", "images"} {
		text := n.chart.Metadata.Annotations[name]
		key := fmt.Sprintf("annotations[%q]", name)
		var list []struct {
			Image string `json:"image"`
		}
		if err := unmarshal([]byte(text), &list); err != nil {
			s.doubt(key, text, "not a list of images")
			continue
		}
		for i, element := range list {
			if element.Image != "" {
				s.whole(key, element.Image)
			} else {
				s.doubt(fmt.Sprintf("%s[%d]", key, i), text, "an entry without an image")
			}
		}
	}
}
