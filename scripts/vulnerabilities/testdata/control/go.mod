// What is known to be vulnerable, so that the check has something to find. Do not update.
module control

go 1.26.0

require golang.org/x/net v0.1.0

require golang.org/x/text v0.4.0 // indirect
