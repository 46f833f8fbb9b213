package pkgr

// budget is what may still be read of one archive and of those nested in it.
// Helm grants each nested archive the whole limit anew; here all share it, so that
// nesting doesn't multiply what a small file can cost.
type budget struct {
	limits   Limits
	content  int64 // bytes of members
	stream   int64 // bytes of tar streams
	names    int   // bytes of members' names
	members  int   // of tar and of gzip
	warnings []string
}

func newBudget(l Limits) *budget {
	return &budget{limits: l, content: l.Chart, stream: l.Chart + maxMembers*memberOverhead, names: maxNames, members: maxMembers}
}

// member accounts for one member of size bytes, as Helm does: when nothing is
// left, it was too much.
func (b *budget) member(name string, size int64) error {
	if err := b.limits.file(name, size); err != nil {
		return err
	}
	if b.names -= len(name); b.names < 0 {
		return errTooMany()
	}
	if b.content -= size; b.content <= 0 {
		return b.limits.chartError()
	}
	if size > HelmMaxFile {
		b.warn(helmFileWarning(name, size))
	}
	return nil
}

// warn keeps the first few warnings; an archive can have a hundred thousand.
func (b *budget) warn(msg string) {
	const enough = 20
	if len(b.warnings) < enough {
		b.warnings = append(b.warnings, msg)
	}
}
