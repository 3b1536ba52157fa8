package store

import (
	"database/sql"
	"math/bits"
	"os"
	"sync/atomic"
)

// Stats are what a Store does at the moment, and has done since it was opened. To ask for them costs no connection.
type Stats struct {
	Pools []PoolStats
	Away  bool // Postgres does not answer, so that nobody waits for it; or the disk has failed SQLite

	// Of SQLite alone.
	FileBytes, LogBytes int64 // of the file, and of the write-ahead log beside it
	Groups              GroupStats
}

// PoolStats are those of one pool of connections: reading, writing, looking, revoking or migrating.
type PoolStats struct {
	Name string
	sql.DBStats
}

// GroupStats say how many changes were written together, each time that something was.
type GroupStats struct {
	Groups, Changes uint64
	// UpTo is how many groups had as many changes at most as the key says.
	UpTo map[int]uint64
}

// Stats returns them.
func (s *Store) Stats() Stats {
	stats := Stats{Away: s.away.now()}
	add := func(name string, pool *sql.DB) {
		if pool != nil {
			stats.Pools = append(stats.Pools, PoolStats{name, pool.Stats()})
		}
	}
	add("reading", s.read) // of Postgres for changes as well
	add("looking", s.apart)
	add("revoking", s.revoking)
	add("migrating", s.making)
	if w, ok := s.write.(*groupWriter); ok {
		add("writing", w.db)
		stats.Groups, stats.Away = w.sizes.stats(), w.broken.Load()
	}
	if s.file != nil {
		stats.FileBytes, stats.LogBytes = size(s.file.path), size(s.file.path+"-wal")
	}
	return stats
}

// size returns 0 for a file that is not there, as the log is once everything of it is in the database.
func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// groupSizes counts groups by their size: the first counts those of one change, each next one those of up to twice as
// many as the one before.
type groupSizes struct {
	groups  [8]atomic.Uint64 // the last one up to maxGroup
	changes atomic.Uint64
}

func (g *groupSizes) note(changes int) {
	g.changes.Add(uint64(changes)) // #nosec G115 -- maxGroup at most
	g.groups[min(bits.Len(uint(changes-1)), len(g.groups)-1)].Add(1)
}

func (g *groupSizes) stats() GroupStats {
	stats := GroupStats{UpTo: map[int]uint64{}, Changes: g.changes.Load()}
	for i := range g.groups {
		stats.Groups += g.groups[i].Load()
		stats.UpTo[1<<i] = stats.Groups
	}
	return stats
}
