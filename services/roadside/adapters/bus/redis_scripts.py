"""The Lua scripts that make a hand-over between streams one step, so that nothing is lost and nothing comes twice.

Every key carries the same hash tag, so the scripts also run on a Redis cluster.
"""

from __future__ import annotations

from typing import Final

PUBLISH: Final = """
-- KEYS: stream, flight of the camera, state of the camera
-- ARGV: limit, is frame, camera, captured at ns, captured at us, identity, payload
local limit = tonumber(ARGV[1])
if ARGV[2] == '1' then
  local last = redis.call('HGET', KEYS[3], 'sequence')
  if last and tonumber(last) >= tonumber(ARGV[6]) then return 1 end
end
if limit > 0 and redis.call('XLEN', KEYS[1]) >= limit then return 0 end
redis.call('XADD', KEYS[1], '*', 'c', ARGV[3], 't', ARGV[4], 'i', ARGV[6], 'p', ARGV[7])
if ARGV[5] ~= '' then redis.call('ZADD', KEYS[2], ARGV[5], ARGV[6]) end
if ARGV[2] == '1' then redis.call('HSET', KEYS[3], 'sequence', ARGV[6], 'at', ARGV[4]) end
return 1
"""
"""A frame is appended once: sequence numbers of a camera only grow."""

COMMIT: Final = """
-- KEYS: stream, leader, then output streams and flights of cameras, which ARGV names by their place
-- ARGV: group, leader or '', n, n * (entry, flight, identity),
--       m, m * (stream, flight or 0, camera, captured at ns, captured at us, identity, payload)
if ARGV[2] ~= '' and redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
local at = 4
local done = tonumber(ARGV[3])
local acknowledged = 0
for _ = 1, done do
  if redis.call('XACK', KEYS[1], ARGV[1], ARGV[at]) == 1 then
    acknowledged = acknowledged + 1
    redis.call('XDEL', KEYS[1], ARGV[at])
    redis.call('ZREM', KEYS[tonumber(ARGV[at + 1])], ARGV[at + 2])
  end
  at = at + 3
end
if done > 0 and acknowledged == 0 then return 0 end
local outputs = tonumber(ARGV[at])
at = at + 1
for _ = 1, outputs do
  redis.call('XADD', KEYS[tonumber(ARGV[at])], '*',
    'c', ARGV[at + 2], 't', ARGV[at + 3], 'i', ARGV[at + 5], 'p', ARGV[at + 6])
  local flight = tonumber(ARGV[at + 1])
  if flight > 0 then redis.call('ZADD', KEYS[flight], ARGV[at + 4], ARGV[at + 5]) end
  at = at + 7
end
return 1
"""

REJECT: Final = """
-- KEYS: stream, flight of the camera, dead letters
-- ARGV: group, entry, camera, captured at ns, identity, payload, stream name, reason, now ns, at most so many, size
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('XDEL', KEYS[1], ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[5])
redis.call('XADD', KEYS[3], 'MAXLEN', ARGV[10], '*', 'c', ARGV[3], 't', ARGV[4], 'i', ARGV[5], 'p', ARGV[6],
  's', ARGV[7], 'r', ARGV[8], 'd', ARGV[9], 'n', ARGV[11])
return 1
"""

REPLAY: Final = """
-- KEYS: dead letters, stream, flight of the camera
-- ARGV: letter, captured at us or ''
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if #found == 0 then return 0 end
local letter = {}
for i = 1, #found[1][2], 2 do letter[found[1][2][i]] = found[1][2][i + 1] end
redis.call('XADD', KEYS[2], '*', 'c', letter['c'], 't', letter['t'], 'i', letter['i'], 'p', letter['p'])
if ARGV[2] ~= '' then redis.call('ZADD', KEYS[3], ARGV[2], letter['i']) end
redis.call('XDEL', KEYS[1], ARGV[1])
return 1
"""

LEAD: Final = """
-- KEYS: leader; ARGV: consumer, milliseconds. 2: taken over, 1: kept, 0: somebody else's
local leader = redis.call('GET', KEYS[1])
if leader == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return 1
end
if leader then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 2
"""
