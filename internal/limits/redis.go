package limits

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// A Redis that does not count within redisTimeout is left alone for redisPause.
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

func openShared(url, project string, log *slog.Logger) (*sharedCounts, error) {
	options, err := redisOptions(url)
	if err != nil {
		return nil, fmt.Errorf("the URL of Redis %w", err)
	}
	if warning := warningOf(options); warning != "" {
		log.Warn(warning)
	}
	redis.SetLogger(quiet{log}) // it has one for the whole process, on standard error
	return &sharedCounts{client: redis.NewClient(options), prefix: "guestpass:{" + project + "}:",
		away: &outage{log: log}}, nil
}

// warningOf tells who else may read the password of a Redis on another machine; "": nobody.
func warningOf(options *redis.Options) string {
	host, _, _ := net.SplitHostPort(options.Addr)
	ip, err := netip.ParseAddr(host)
	here := options.Network == "unix" || host == "localhost" || err == nil && ip.Unmap().IsLoopback()
	if here || options.Password == "" || options.TLSConfig != nil { // a URL cannot have TLS check less
		return ""
	}
	return "the password of Redis is sent unencrypted: write rediss://… in GUESTPASS_REDIS_URL"
}

// quiet takes the client's own messages as debug lines.
type quiet struct{ log *slog.Logger }

func (q quiet) Printf(ctx context.Context, format string, values ...any) {
	q.log.DebugContext(ctx, "redis", "message", fmt.Sprintf(format, values...))
}

// sharedCounts count in Redis what all instances admit.
type sharedCounts struct {
	client *redis.Client
	prefix string // in braces what keeps all keys on one node of a cluster
	away   *outage
}

// takeScript looks and counts in one step, as no other script runs meanwhile. KEYS are the counts
// of this minute and of the last one for each slot; ARGV are the weight of the last one, the
// seconds for which to keep a count, and each slot's number. It returns the slot that has no room,
// with its counts; or it counts and returns 0.
var takeScript = redis.NewScript(`
for i = 1, #KEYS, 2 do
	local current = tonumber(redis.call("GET", KEYS[i]) or "0")
	local previous = tonumber(redis.call("GET", KEYS[i + 1]) or "0")
	local slot = (i + 1) / 2
	if math.floor(previous * tonumber(ARGV[1]) + current + 0.5) + 1 > tonumber(ARGV[slot + 2]) then
		return {slot, current, previous}
	end
end
for i = 1, #KEYS, 2 do
	redis.call("INCR", KEYS[i])
	redis.call("EXPIRE", KEYS[i], ARGV[2])
end
return {0, 0, 0}`)

// take counts one time for all slots, or returns the number that it would exceed. While
// Redis is away it does neither.
func (s *sharedCounts) take(now time.Time, of Bound, slots []slot) (counted bool, exceeded *Exceeded) {
	may, isRetry := s.away.mayTry()
	if !may {
		return false, nil
	}
	keys, args := []string{}, []any{weight(now), int(2 * window.Seconds())}
	for _, counted := range slots {
		start := now.Truncate(window)
		keys = append(keys, s.key(of, counted, start), s.key(of, counted, start.Add(-window)))
		args = append(args, of.number(counted))
	}
	answer, err := takeScript.Run(context.Background(), s.client, keys, args...).Int64Slice()
	if err == nil && (len(answer) != 3 || answer[0] < 0 || answer[0] > int64(len(slots))) {
		err = fmt.Errorf("it answers %v", answer)
	}
	if err != nil {
		s.away.begin(err)
		return false, nil
	}
	if answer[0] > 0 { // which says nothing of whether it takes writes
		return false, of.exceeded(now, slots[answer[0]-1], int(answer[1]), int(answer[2]))
	}
	if isRetry {
		s.away.end()
	}
	return true, nil
}

// PingShared returns an error if Redis does not answer, or does not run the script that counts. It counts nothing. A
// process that counts alone has nothing to ask.
func (l *Limits) PingShared(ctx context.Context) error {
	if l == nil || l.shared == nil {
		return nil
	}
	answer, err := takeScript.Run(ctx, l.shared.client, nil, weight(time.Now()), 0).Int64Slice()
	if err == nil && len(answer) != 3 {
		err = fmt.Errorf("it answers %v", answer)
	}
	return err
}

// takeBackScript does not bring back a count that has expired.
var takeBackScript = redis.NewScript(`
for i = 1, #KEYS do
	if tonumber(redis.call("GET", KEYS[i]) or "0") > 0 then
		redis.call("DECR", KEYS[i])
	end
end
return 0`)

// takeBack forgets what take has counted.
func (s *sharedCounts) takeBack(now time.Time, of Bound, slots []slot) {
	if may, _ := s.away.mayTry(); !may {
		return
	}
	var keys []string
	for _, counted := range slots {
		keys = append(keys, s.key(of, counted, now.Truncate(window)))
	}
	if err := takeBackScript.Run(context.Background(), s.client, keys).Err(); err != nil {
		s.away.begin(err)
	}
}

// key names the count of a minute. It hashes what is counted and for whom, so that neither can
// choose the name.
func (s *sharedCounts) key(of Bound, counted slot, start time.Time) string {
	hash := sha256.Sum256([]byte(of.Name + "\x00" + string(counted.kind) + "\x00" + counted.key))
	return fmt.Sprintf("%s%x:%d", s.prefix, hash[:16], start.Unix())
}

// outage remembers that Redis does not count, so that not every request waits for it.
type outage struct {
	log     *slog.Logger
	retryAt atomic.Int64 // when to try again, in nanoseconds since 1970; 0: it counts
}

// mayTry lets one caller try when the pause is over, and reports whether it is the one.
func (o *outage) mayTry() (may, isRetry bool) {
	retryAt, now := o.retryAt.Load(), time.Now()
	if retryAt == 0 {
		return true, false
	}
	isRetry = now.UnixNano() >= retryAt && o.retryAt.CompareAndSwap(retryAt, now.Add(redisPause).UnixNano())
	return isRetry, isRetry
}

// begin logs the first of several failures.
func (o *outage) begin(err error) {
	if o.retryAt.Swap(time.Now().Add(redisPause).UnixNano()) == 0 {
		o.log.Warn("Redis does not count; until it does, each instance counts limits by itself", "error", err)
	}
}

// end is for whoever tried again, when Redis has counted. Those who began before the
// outage and are answered meanwhile say nothing of it.
func (o *outage) end() {
	o.retryAt.Store(0)
	o.log.Info("Redis counts again")
}
