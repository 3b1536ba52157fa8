package tasks

import (
	_ "embed" // the page

	"guestpass/widget"
)

//go:embed tasks.html
var page string

// list is what MCP clients show of listTasks.
var list = widget.New("tasks", page)
