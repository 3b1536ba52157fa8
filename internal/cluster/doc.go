// Package cluster tests what only several instances together can show: three processes of the program behind a
// balancer, on one Postgres and one Redis, through faults of each of them. It has no code of its own.
package cluster
