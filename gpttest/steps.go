package gpttest

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// mostSteps bounds how many schemas one value is held against, those inside others counted each time: combinations
// that repeat inside each other take twice as long at every level.
const mostSteps = 500_000

// slowMatch is how many steps a pattern takes that was given up.
const slowMatch = mostSteps / 3

// ErrSteps says that a schema is too much work to read, or to tell whether it admits a value.
var ErrSteps = fmt.Errorf("the schema takes more than %d steps", mostSteps)

// steps counts those of a compiled schema. It is its keyword on every one inside it, and asserts nothing: the library
// calls it wherever it has been.
type steps struct{ left atomic.Int64 }

func (s *steps) vocabulary() *jsonschema.Vocabulary {
	return &jsonschema.Vocabulary{URL: schemaAddress + "steps",
		Compile: func(*jsonschema.CompilerContext, map[string]any) (jsonschema.SchemaExt, error) { return s, nil }}
}

// Validate panics when no step is left: nothing else ends the library's work. [steps.bound] takes it up.
func (s *steps) Validate(*jsonschema.ValidatorContext, any) { s.take(1) }

func (s *steps) take(n int64) {
	if s.left.Add(-n) < 0 {
		panic(ErrSteps)
	}
}

// bound does work that is ended after mostSteps with ErrSteps.
func (s *steps) bound(work func() error) (err error) {
	s.left.Store(mostSteps)
	defer func() {
		switch ended := recover().(type) {
		case nil:
		case error:
			if !errors.Is(ended, ErrSteps) {
				panic(ended)
			}
			err = ErrSteps
		default:
			panic(ended)
		}
	}()
	return work()
}

// mostPairs bounds the elements of a schema's arrays that are compared with each other when it is read.
const mostPairs = 25_000_000

// pairs counts them.
func pairs(node any) (n int) {
	switch node := node.(type) {
	case map[string]any:
		for _, inner := range node {
			n += pairs(inner)
		}
	case []any:
		n = len(node) * len(node)
		for _, inner := range node {
			n += pairs(inner)
		}
	}
	return n
}
