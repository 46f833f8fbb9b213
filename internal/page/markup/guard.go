package markup

import (
	"bytes"
	"errors"
	"time"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// What one text may take. goldmark has no bound of its own, and several inputs make it
// quadratic: it calls the guards below at each line and at each mark, which end it by a
// panic that convert recovers.
const (
	maxTime    = 500 * time.Millisecond
	maxOutput  = 4 << 20 // bytes
	maxMarks   = 10_000  // of emphasis in one block: pairing them is one step
	maxLines   = 5_000   // of one paragraph: looking for references in it is one step
	maxCells   = 100_000 // of one table, whose rows are filled up
	maxEscaped = 5_000   // pipes, in all tables: undoing them is one step
)

var (
	errBudget = errors.New("the text takes too long or too much")
	budgetKey = parser.NewContextKey()
)

type budget struct {
	until time.Time
	block ast.Node // that inlineGuard saw last
	marks int      // of it

	escaped int // pipes
}

func (b *budget) check() {
	if time.Now().After(b.until) {
		panic(errBudget)
	}
}

func budgetOf(pc parser.Context) *budget { return pc.Get(budgetKey).(*budget) }

type blockGuard struct{}

// Trigger is every byte: a parser without a trigger comes after those that have one.
func (blockGuard) Trigger() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

func (blockGuard) Open(_ ast.Node, _ text.Reader, pc parser.Context) (ast.Node, parser.State) {
	budgetOf(pc).check()
	if len(pc.OpenedBlocks()) > maxDepth { // each of which each line that follows asks
		panic(errBudget)
	}
	return nil, parser.NoChildren
}
func (blockGuard) Continue(ast.Node, text.Reader, parser.Context) parser.State { return parser.Close }
func (blockGuard) Close(ast.Node, text.Reader, parser.Context)                 {}
func (blockGuard) CanInterruptParagraph() bool                                 { return true }
func (blockGuard) CanAcceptIndentedLine() bool                                 { return true }

type inlineGuard struct{}

func (inlineGuard) Trigger() []byte { return []byte("*_~[]!<`&") }
func (inlineGuard) Parse(block ast.Node, line text.Reader, pc parser.Context) ast.Node {
	b := budgetOf(pc)
	b.check()
	if b.block != block {
		b.block, b.marks = block, 0
	}
	if c := line.Peek(); c == '*' || c == '_' || c == '~' {
		if b.marks++; b.marks > maxMarks {
			panic(errBudget)
		}
	}
	return nil
}

type paragraphGuard struct{}

func (paragraphGuard) Transform(p *ast.Paragraph, r text.Reader, pc parser.Context) {
	b, lines, columns := budgetOf(pc), p.Lines().Len(), 0
	b.check()
	for i := range lines {
		line := p.Lines().At(i)
		columns = max(columns, bytes.Count(line.Value(r.Source()), []byte("|"))+1)
		b.escaped += bytes.Count(line.Value(r.Source()), []byte(`\|`))
	}
	if lines > maxLines || columns > 1 && columns*lines > maxCells || b.escaped > maxEscaped {
		panic(errBudget)
	}
}

// boundedWriter takes what is rendered.
type boundedWriter struct {
	bytes.Buffer
	budget *budget
}

func (w *boundedWriter) Write(p []byte) (int, error) {
	w.budget.check()
	if w.Len()+len(p) > maxOutput {
		panic(errBudget)
	}
	return w.Buffer.Write(p)
}
