// Command expenses is guestpass with expenses beside its own operations.
package main

import (
	"guestpass/cli"
	"guestpass/resources"

	"example.com/expenses"
)

func main() { cli.Main(append(resources.All(), expenses.Resource())...) }
