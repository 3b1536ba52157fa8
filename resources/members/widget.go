package members

import (
	_ "embed" // the page

	"guestpass/widget"
)

//go:embed members.html
var page string

// list is what MCP clients show of listMembers.
var list = widget.New("members", page)
