package gpttest

import (
	"encoding/json"
	"fmt"
	"iter"
	"math/big"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// numbers yields numbers that the bounds and steps of all schemas admit, 1 first if it is
// one of them.
func numbers(all []*jsonschema.Schema, whole bool) iter.Seq[any] {
	return func(yield func(any) bool) {
		low, high, step := bounds(all, whole)
		start := big.NewRat(1, 1)
		if step != nil {
			start = step
		}
		if low != nil && start.Cmp(low) < 0 {
			start = firstFrom(low, step)
		}
		if high != nil && start.Cmp(high) > 0 {
			if start = firstFrom(high, step); start.Cmp(high) > 0 {
				start = new(big.Rat).Sub(start, step) // step is set: else start would be high
			}
		}
		pace := step
		if pace == nil {
			pace = big.NewRat(1, 1)
			if low != nil && high != nil && low.Cmp(high) < 0 {
				pace = new(big.Rat).Mul(new(big.Rat).Sub(high, low), big.NewRat(1, 64))
			}
		}
		for i := range int64(64) {
			distance := new(big.Rat).Mul(pace, big.NewRat(i, 1))
			for _, number := range []*big.Rat{new(big.Rat).Add(start, distance), new(big.Rat).Sub(start, distance)} {
				if !yield(decimal(number)) {
					return
				}
			}
		}
	}
}

// bounds returns the narrowest of all schemas, and the least common multiple of their steps.
// An exclusive bound is given as it is: the caller checks every number.
func bounds(all []*jsonschema.Schema, whole bool) (low, high, step *big.Rat) {
	if whole {
		step = big.NewRat(1, 1)
	}
	for _, s := range all {
		for _, least := range []*big.Rat{s.Minimum, s.ExclusiveMinimum} {
			if least != nil && (low == nil || least.Cmp(low) > 0) {
				low = least
			}
		}
		for _, most := range []*big.Rat{s.Maximum, s.ExclusiveMaximum} {
			if most != nil && (high == nil || most.Cmp(high) < 0) {
				high = most
			}
		}
		if s.MultipleOf != nil && s.MultipleOf.Sign() > 0 {
			step = commonMultiple(step, s.MultipleOf)
		}
	}
	return low, high, step
}

// firstFrom returns the least multiple of step that is no less than low.
func firstFrom(low, step *big.Rat) *big.Rat {
	if step == nil {
		return low
	}
	times := new(big.Rat).Quo(low, step)
	whole := new(big.Int).Div(times.Num(), times.Denom()) // rounds down
	if !times.IsInt() {
		whole.Add(whole, big.NewInt(1))
	}
	return new(big.Rat).Mul(step, new(big.Rat).SetInt(whole))
}

func commonMultiple(a, b *big.Rat) *big.Rat {
	if a == nil {
		return b
	}
	divisor := func(x, y *big.Int) *big.Int { return new(big.Int).GCD(nil, nil, x, y) }
	numerator := new(big.Int).Mul(a.Num(), new(big.Int).Quo(b.Num(), divisor(a.Num(), b.Num())))
	return new(big.Rat).SetFrac(numerator, divisor(a.Denom(), b.Denom()))
}

// decimal writes a number as JSON has it, exactly where it has an end.
func decimal(number *big.Rat) json.Number {
	if number.IsInt() {
		return json.Number(number.Num().String())
	}
	digits, exact := number.FloatPrec()
	if !exact {
		digits = 6
	}
	return json.Number(number.FloatString(digits))
}

// rational returns a number of any kind that JSON has.
func rational(value any) (*big.Rat, bool) {
	switch value.(type) {
	case json.Number, float64, float32, int, int64:
		return new(big.Rat).SetString(fmt.Sprint(value))
	}
	return nil, false
}
