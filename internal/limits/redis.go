package limits

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gomodule/redigo/redis"
)

// A Redis that does not count within redisTimeout is left alone for redisPause.
const (
	redisTimeout = 100 * time.Millisecond
	redisPause   = time.Second
)

// How many connections there are, and for how long one is kept that nobody uses.
const (
	redisConnections = 32
	redisIdle        = 5 * time.Minute
)

// CheckRedisURL tells what is wrong with the URL of a Redis, without connecting. Its
// error never repeats the URL, which may hold a password.
func CheckRedisURL(text string) error {
	_, err := parseRedisURL(text)
	return err
}

var errRedisURL = errors.New("must be redis://USER:PASSWORD@HOST:PORT/NUMBER, rediss://… with TLS, or " +
	"unix://USER:PASSWORD@/PATH?db=NUMBER")

// A redisPlace is where a Redis is, and as whom it is asked.
type redisPlace struct {
	network, address string
	user, password   string
	database         int
	encrypted        bool
}

// parseRedisURL reads redis and rediss as the schemes are registered, and unix, for a socket. A parameter that it does
// not know is refused: it would be meant to bound or to protect something.
func parseRedisURL(text string) (p redisPlace, err error) {
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || u.Fragment != "" {
		return p, errRedisURL
	}
	p.user = u.User.Username()
	p.password, _ = u.User.Password()
	query, number := u.Query(), strings.TrimPrefix(u.Path, "/")
	if u.Scheme == "unix" {
		p.network, p.address, number = "unix", u.Path, query.Get("db")
		query.Del("db")
	} else {
		p.network, p.address = "tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "6379"))
		p.encrypted = u.Scheme == "rediss"
	}
	known := u.Scheme == "redis" || u.Scheme == "rediss" || u.Scheme == "unix"
	if !known || len(query) > 0 || (u.Hostname() == "") != (u.Scheme == "unix") || p.address == "" {
		return p, errRedisURL
	}
	if number != "" {
		if p.database, err = strconv.Atoi(number); err != nil || p.database < 0 {
			return p, errRedisURL
		}
	}
	return p, nil
}

func (p redisPlace) dial(ctx context.Context) (redis.Conn, error) {
	return redis.DialContext(ctx, p.network, p.address, redis.DialUsername(p.user), redis.DialPassword(p.password),
		redis.DialDatabase(p.database), redis.DialUseTLS(p.encrypted), redis.DialConnectTimeout(redisTimeout),
		redis.DialTLSHandshakeTimeout(redisTimeout), redis.DialReadTimeout(redisTimeout),
		redis.DialWriteTimeout(redisTimeout))
}

func openShared(url, project string, log *slog.Logger) (*sharedCounts, error) {
	place, err := parseRedisURL(url)
	if err != nil {
		return nil, fmt.Errorf("the URL of Redis %w", err)
	}
	if warning := place.warning(); warning != "" {
		log.Warn(warning)
	}
	s := &sharedCounts{prefix: "guestpass:{" + project + "}:", away: &outage{log: log}}
	s.pool = &redis.Pool{DialContext: place.dial, TestOnBorrow: s.away.isOver, MaxActive: redisConnections,
		MaxIdle: redisConnections, IdleTimeout: redisIdle, Wait: true}
	return s, nil
}

// warning tells who else may read the password of a Redis on another machine; "": nobody.
func (p redisPlace) warning() string {
	host, _, _ := net.SplitHostPort(p.address)
	ip, err := netip.ParseAddr(host)
	here := p.network == "unix" || host == "localhost" || err == nil && ip.Unmap().IsLoopback()
	if here || p.password == "" || p.encrypted { // a URL cannot have TLS check less
		return ""
	}
	return "the password of Redis is sent unencrypted: write rediss://… in GUESTPASS_REDIS_URL"
}

// sharedCounts count in Redis what all instances admit.
type sharedCounts struct {
	pool   *redis.Pool
	prefix string // in braces what keeps all keys on one node of a cluster
	away   *outage
}

// run has Redis run a script, and returns the numbers that it answers.
func (s *sharedCounts) run(ctx context.Context, script *redis.Script, keys []string, args ...any) ([]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*redisTimeout) // to wait for a connection, and for the answer
	defer cancel()
	conn, err := s.pool.GetContext(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	answer, err := redis.Int64s(script.DoContext(ctx, conn, redis.Args{len(keys)}.AddFlat(keys).Add(args...)...))
	if err != nil {
		s.away.failed.Store(time.Now().UnixNano())
	}
	return answer, err
}

// takeScript looks and counts in one step, as no other script runs meanwhile. KEYS are the counts
// of this minute and of the last one for each slot; ARGV are the weight of the last one, the
// seconds for which to keep a count, and each slot's number. It returns the slot that has no room,
// with its counts; or it counts and returns 0.
var takeScript = redis.NewScript(-1, `
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
	answer, err := s.run(context.Background(), takeScript, keys, args...)
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
	answer, err := l.shared.run(ctx, takeScript, nil, weight(time.Now()), 0)
	if err == nil && len(answer) != 3 {
		err = fmt.Errorf("it answers %v", answer)
	}
	return err
}

// takeBackScript does not bring back a count that has expired.
var takeBackScript = redis.NewScript(-1, `
for i = 1, #KEYS do
	if tonumber(redis.call("GET", KEYS[i]) or "0") > 0 then
		redis.call("DECR", KEYS[i])
	end
end
return {}`)

// takeBack forgets what take has counted.
func (s *sharedCounts) takeBack(now time.Time, of Bound, slots []slot) {
	if may, _ := s.away.mayTry(); !may {
		return
	}
	var keys []string
	for _, counted := range slots {
		keys = append(keys, s.key(of, counted, now.Truncate(window)))
	}
	if _, err := s.run(context.Background(), takeBackScript, keys); err != nil {
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
	failed  atomic.Int64 // when it last did not count, in nanoseconds since 1970
}

// isOver refuses a connection of before the last failure, as Redis may have been started anew since, and one that does
// not answer after a while.
func (o *outage) isOver(conn redis.Conn, used time.Time) (err error) {
	if used.UnixNano() <= o.failed.Load() {
		return errors.New("a connection of before Redis was away")
	}
	if time.Since(used) > redisPause {
		_, err = conn.Do("PING")
	}
	return err
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
