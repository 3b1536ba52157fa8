package tasks

import "github.com/danielgtaylor/huma/v2"

// A day is a due date in a body, YYYY-MM-DD.
type day string

// Schema is for Huma.
func (day) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: `^\d{4}-\d{2}-\d{2}$`,
		PatternDescription: "a day, YYYY-MM-DD"}
}

// A newDay is a day that takes the place of another; empty removes that.
type newDay string

// Schema is for Huma.
func (newDay) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: `^(\d{4}-\d{2}-\d{2})?$`,
		PatternDescription: "a day, YYYY-MM-DD, or empty"}
}
