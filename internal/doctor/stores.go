package doctor

import (
	"context"
	"errors"

	"guestpass/store"
)

// storeChecks are about what the server keeps, and counts in.
var storeChecks = []Check[*visit]{
	{Name: "database", Asks: "does the database answer, take changes, and have every table of this version?",
		Expected: "a database that answers, takes changes, and has the tables of this version",
		Remedy:   "see GUESTPASS_DATABASE_URL, and docs/keeping.md",
		Look:     lookAtDatabase},
	{Name: "redis", Asks: "does Redis answer, and run the scripts that count?",
		Expected: "a Redis that answers and runs scripts",
		Remedy:   "see GUESTPASS_REDIS_URL: until Redis counts, each instance counts limits by itself",
		Look:     lookAtRedis},
}

// Database returns what a look at the database has found, for whoever has looked.
func Database(ctx context.Context, found error) Finding {
	looked := func(context.Context) error { return found }
	return storeChecks[0].run(ctx, &visit{Server: Server{Database: looked}})
}

func lookAtDatabase(ctx context.Context, v *visit) Finding {
	if v.Database == nil {
		return NotLooked("there is no database to look at")
	}
	err := v.Database(ctx)
	switch {
	case errors.Is(err, store.ErrNoFile):
		return NotLooked("%v: the server makes it when it starts", err)
	case errors.Is(err, store.ErrOutdated):
		return Doubtful("%v", err).
			MendedBy("run `guestpass migrate up`, or start the server, which does the same")
	case err != nil:
		return Wrong("%v", err)
	}
	return Well("the database answers, takes changes, and has the tables of this version")
}

func lookAtRedis(ctx context.Context, v *visit) Finding {
	if v.Redis == nil {
		return Well("none is used: each instance counts by itself")
	}
	if err := v.Redis(ctx); err != nil {
		return Doubtful("Redis does not count: %v", err)
	}
	return Well("Redis answers and runs the scripts that count")
}
