package limits

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/go-chi/httprate"
	httprateredis "github.com/go-chi/httprate-redis"
	"github.com/redis/go-redis/v9"
)

// A Redis that does not answer in redisTimeout is left alone for redisPause.
const (
	redisTimeout = 100 * time.Millisecond
	redisPause   = time.Second
)

// CheckRedisURL tells what is wrong with the URL of a Redis, without connecting. Its
// error never repeats the URL, which may hold a password.
func CheckRedisURL(text string) error {
	_, err := redisOptions(text)
	return err
}

func redisOptions(text string) (*redis.Options, error) {
	options, err := redis.ParseURL(text)
	if err != nil {
		return nil, errors.New("must be redis://USER:PASSWORD@HOST:PORT/NUMBER, rediss://… with TLS, or unix:///PATH")
	}
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = redisTimeout, redisTimeout, redisTimeout
	options.PoolTimeout, options.MaxRetries, options.DisableIdentity = redisTimeout, -1, true
	return options, nil
}

func openRedis(url string, log *slog.Logger) (*redis.Client, error) {
	options, err := redisOptions(url)
	if err != nil {
		return nil, fmt.Errorf("the URL of Redis %w", err)
	}
	redis.SetLogger(quiet{log}) // it has one for the whole process, on standard error
	return redis.NewClient(options), nil
}

// quiet takes the client's own messages as debug lines.
type quiet struct{ log *slog.Logger }

func (q quiet) Printf(ctx context.Context, format string, values ...any) {
	q.log.DebugContext(ctx, "redis", "message", fmt.Sprintf(format, values...))
}

// sharedCounts counts in Redis and, for the time when that does not answer, in memory
// as well. httprate-redis has a fallback of its own, but its memory is not bounded, and
// it forgets what this process has counted until then.
type sharedCounts struct {
	redis, local httprate.LimitCounter
	away         *outage
}

func newSharedCounts(name string, client *redis.Client, local httprate.LimitCounter, away *outage) *sharedCounts {
	return &sharedCounts{local: local, away: away, redis: httprateredis.NewCounter(&httprateredis.Config{
		Client: client, PrefixKey: "guestpass:" + name, WindowLength: window, FallbackDisabled: true})}
}

func (s *sharedCounts) Config(quota int, length time.Duration) { s.redis.Config(quota, length) }

func (s *sharedCounts) Increment(key string, start time.Time) error {
	return s.IncrementBy(key, start, 1)
}

func (s *sharedCounts) IncrementBy(key string, start time.Time, amount int) error {
	_ = s.local.IncrementBy(key, start, amount)
	if s.away.mayTry() {
		s.away.note(s.redis.IncrementBy(key, start, amount))
	}
	return nil
}

func (s *sharedCounts) Get(key string, start, before time.Time) (current, previous int, err error) {
	if s.away.mayTry() {
		current, previous, err = s.redis.Get(key, start, before)
		if s.away.note(err); err == nil {
			return current, previous, nil
		}
	}
	return s.local.Get(key, start, before)
}

// outage remembers that Redis does not answer, so that not every request waits for it.
type outage struct {
	log   *slog.Logger
	until atomic.Int64 // when to try again, in nanoseconds since 1970; 0: it answers
}

// mayTry lets one caller try when the pause is over.
func (o *outage) mayTry() bool {
	until, now := o.until.Load(), time.Now()
	return until == 0 || (now.UnixNano() >= until && o.until.CompareAndSwap(until, now.Add(redisPause).UnixNano()))
}

// note logs when Redis stops to answer, and when it begins again.
func (o *outage) note(err error) {
	if err == nil {
		if o.until.Load() != 0 && o.until.Swap(0) != 0 {
			o.log.Info("Redis answers again; limits are counted there")
		}
		return
	}
	if o.until.Swap(time.Now().Add(redisPause).UnixNano()) == 0 {
		o.log.Warn("Redis does not answer; until it does, each instance counts limits by itself", "error", err)
	}
}
