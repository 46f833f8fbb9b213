package mirror

import "fmt"

// unmet reports the charts that the filters name and that are in no source.
func (r *run) unmet(sources []*Source, offers [][]candidate, asked []bool) error {
	var anywhere []candidate
	for i, s := range sources {
		if s.Anywhere {
			anywhere = append(anywhere, offers[i]...)
		}
	}
	told := map[pick]bool{}
	for i, s := range sources {
		if k, _ := s.kind(); !asked[i] || k == kindArchive {
			continue
		}
		offered := offers[i]
		if s.Anywhere {
			offered = anywhere
		}
		for _, p := range s.Filter.charts {
			f := Filter{charts: []pick{p}, devel: s.Filter.devel}
			if len(f.apply(offered)) > 0 || s.Anywhere && told[p] {
				continue
			}
			told[p] = s.Anywhere
			if err := r.failed(failure("chart "+p.String(), s.unmetError(p))); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Source) unmetError(p pick) error {
	where, needed := s.String()+" does not have it", ""
	if s.Anywhere {
		where = "no source has it"
	}
	if by := s.needs[p]; by != "" {
		needed = "; " + by + " depends on it"
	}
	return fmt.Errorf("%w: %s, with the filters as they are%s (a prerelease needs --devel, or a constraint such as >=1.0.0-0)", ErrMissing, where, needed)
}
