"""The Lua scripts that make a hand-over between streams one step, so that nothing is lost and nothing comes twice.

Every key carries the same hash tag, so the scripts also run on a Redis cluster.

A Redis at its `maxmemory` refuses whatever could grow, unless a script has written already or says `allow-oom`: so what
takes from a full Redis goes on, what ends or renews goes on, and only what adds is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha1


@dataclass(frozen=True, slots=True)
class Script:
    """A script, and the name that Redis knows it by."""

    text: str
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", sha1(self.text.encode(), usedforsecurity=False).hexdigest())


PUBLISH = Script("""
-- KEYS: stream, flight of the camera; ARGV: camera, captured at ns, captured at us or '', identity, payload
redis.call('XADD', KEYS[1], '*', 'c', ARGV[1], 't', ARGV[2], 'i', ARGV[4], 'p', ARGV[5])
if ARGV[3] ~= '' then redis.call('ZADD', KEYS[2], ARGV[3], ARGV[4]) end
return 1
""")

PUBLISH_FRAME = Script("""
-- KEYS: stream, flight, state, sizes and since of the camera
-- ARGV: camera, captured at ns, captured at us, sequence, payload, most frames, most bytes, most milliseconds, now ms,
--       whether the camera must be known, whether this is the newest
-- Answers 1: it is there; 0: no room; 2: nothing is known of the camera; and what of the camera's waits longest.
local last = redis.call('HGET', KEYS[3], 'sequence')
if ARGV[11] == '1' and last and (tonumber(last) or -1) >= tonumber(ARGV[4]) then return {1, ''} end
if ARGV[10] == '1' and not last then return {2, ''} end
local waiting = redis.call('ZRANGE', KEYS[4], 0, -1, 'WITHSCORES')
if #waiting > 0 and ARGV[11] == '1' then
  local bytes = string.len(ARGV[5])
  for i = 2, #waiting, 2 do bytes = bytes + tonumber(waiting[i]) end
  if tonumber(ARGV[6]) > 0 and #waiting / 2 >= tonumber(ARGV[6]) then return {0, ''} end
  if tonumber(ARGV[7]) > 0 and bytes > tonumber(ARGV[7]) then return {0, ''} end
  local oldest = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')
  if tonumber(ARGV[8]) > 0 and tonumber(ARGV[9]) - tonumber(oldest[2] or ARGV[9]) > tonumber(ARGV[8]) then
    return {0, ''}
  end
end
redis.call('XADD', KEYS[1], '*', 'c', ARGV[1], 't', ARGV[2], 'i', ARGV[4], 'p', ARGV[5])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[4])
redis.call('ZADD', KEYS[4], string.len(ARGV[5]), ARGV[4])
redis.call('ZADD', KEYS[5], ARGV[9], ARGV[4])
if ARGV[11] == '1' then redis.call('HSET', KEYS[3], 'sequence', ARGV[4], 'at', ARGV[2]) end
return {1, redis.call('ZRANGE', KEYS[2], 0, 0)[1]}
""")
"""A frame is appended once: sequence numbers of a camera only grow."""

NOTE_FRAME = Script("""
-- KEYS: state of the camera; ARGV: captured at ns, sequence
local last = redis.call('HGET', KEYS[1], 'sequence')
if last and (tonumber(last) or -1) >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'sequence', ARGV[2], 'at', ARGV[1])
return 1
""")
"""Where frames lie in a Redis of their own, the other one knows how far a camera is."""

_APPEND = """
-- Appends outputs, the first of which begins at that place of ARGV with how many there are
local function append(at)
  local outputs = tonumber(ARGV[at])
  at = at + 1
  for _ = 1, outputs do
    redis.call('XADD', KEYS[tonumber(ARGV[at])], '*',
      'c', ARGV[at + 2], 't', ARGV[at + 3], 'i', ARGV[at + 5], 'p', ARGV[at + 6])
    local flight = tonumber(ARGV[at + 1])
    if flight > 0 then redis.call('ZADD', KEYS[flight], ARGV[at + 4], ARGV[at + 5]) end
    at = at + 7
  end
end
"""

COMMIT = Script(f"""
-- KEYS: stream, leader, then output streams and flights of cameras, which ARGV names by their place; where the stream
--       is that of frames, sizes and since of the camera stand after its flight
-- ARGV: group, leader or '', whether it is frames, n, n * (entry, flight, identity),
--       m, m * (stream, flight or 0, camera, captured at ns, captured at us, identity, payload)
{_APPEND}
if ARGV[2] ~= '' and redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
local at = 5
local done = tonumber(ARGV[4])
local acknowledged = 0
for _ = 1, done do
  if redis.call('XACK', KEYS[1], ARGV[1], ARGV[at]) == 1 then
    acknowledged = acknowledged + 1
    redis.call('XDEL', KEYS[1], ARGV[at])
    local flight = tonumber(ARGV[at + 1])
    for place = flight, flight + 2 * tonumber(ARGV[3]) do redis.call('ZREM', KEYS[place], ARGV[at + 2]) end
  end
  at = at + 3
end
if done > 0 and acknowledged == 0 then return 0 end
append(at)
return 1
""")

_MARK = """
-- Marks frames as handed over; how many were not. The latest stay marked, and those of so many milliseconds.
local function mark(handed, keep_ms, keep, first, count)
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local new = 0
  for at = first, first + count - 1 do new = new + redis.call('ZADD', handed, 'NX', now, ARGV[at]) end
  local spare = redis.call('ZCARD', handed) - keep
  if spare > 0 then
    local old = redis.call('ZRANGE', handed, '-inf', now - keep_ms, 'BYSCORE', 'LIMIT', 0, spare)
    for _, identity in ipairs(old) do redis.call('ZREM', handed, identity) end
  end
  return new
end
"""

HAND_OVER = Script(f"""
-- KEYS: handed of the camera, then as of COMMIT; ARGV: keep so many ms, at least so many, n, n * identity, outputs
{_APPEND}
{_MARK}
local n = tonumber(ARGV[3])
if n > 0 and mark(KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), 4, n) == 0 then return 0 end
append(4 + n)
return 1
""")
"""What frames of another Redis came to. They are acknowledged there only afterwards, so a frame may come again."""

_FORGET = """
-- Deletes a letter, given with its fields, and its payload; the bytes that are kept after it
local function forget(dead, payloads, entry, total)
  redis.call('XDEL', dead, entry[1])
  redis.call('XDEL', payloads, entry[1])
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'k' then total = total - (tonumber(entry[2][i + 1]) or 0) end
  end
  return total
end
"""

_BURY = f"""
{_FORGET}
-- Adds a letter with its payload; ARGV from `at` on: camera, captured at ns, identity, payload, stream name, reason,
-- now ns, size, at most so many, at most so many bytes
local function bury(dead, payloads, bytes, at)
  local kept = string.len(ARGV[at + 3])
  local id = redis.call('XADD', dead, '*', 'c', ARGV[at], 't', ARGV[at + 1], 'i', ARGV[at + 2], 's', ARGV[at + 4],
    'r', ARGV[at + 5], 'd', ARGV[at + 6], 'n', ARGV[at + 7], 'k', kept)
  if kept > 0 then redis.call('XADD', payloads, id, 'p', ARGV[at + 3]) end
  local total = (tonumber(redis.call('GET', bytes) or '0') or 0) + kept
  local count = redis.call('XLEN', dead)
  while count > 1 and (count > tonumber(ARGV[at + 8]) or total > tonumber(ARGV[at + 9])) do
    total = forget(dead, payloads, redis.call('XRANGE', dead, '-', '+', 'COUNT', 1)[1], total)
    count = count - 1
  end
  redis.call('SET', bytes, total)
end
"""

REJECT = Script(f"""
-- KEYS: dead letters, their payloads, bytes of these, stream, then what the identity is taken out of
-- ARGV: group, entry, identity, then as bury() takes it
{_BURY}
if redis.call('XACK', KEYS[4], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('XDEL', KEYS[4], ARGV[2])
for place = 5, #KEYS do redis.call('ZREM', KEYS[place], ARGV[3]) end
bury(KEYS[1], KEYS[2], KEYS[3], 4)
return 1
""")
"""Payloads lie beside the letters, under the same id, so that letters are listed and counted without them."""

BURY = Script(f"""
-- KEYS: dead letters, their payloads, bytes of these, handed of the camera
-- ARGV: keep so many ms, at least so many, identity, then as bury() takes it
{_BURY}
{_MARK}
if mark(KEYS[4], tonumber(ARGV[1]), tonumber(ARGV[2]), 3, 1) == 0 then return 0 end
bury(KEYS[1], KEYS[2], KEYS[3], 4)
return 1
""")
"""REJECT for a frame of another Redis."""

REPLAY = Script(f"""
-- KEYS: dead letters, their payloads, bytes of these, stream, flight of the camera
-- ARGV: letter, captured at us or ''
{_FORGET}
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if #found == 0 then return 0 end
local letter = {{}}
for i = 1, #found[1][2], 2 do letter[found[1][2][i]] = found[1][2][i + 1] end
local payload = redis.call('XRANGE', KEYS[2], ARGV[1], ARGV[1])
if #payload > 0 then letter['p'] = payload[1][2][2] end
redis.call('XADD', KEYS[4], '*', 'c', letter['c'], 't', letter['t'], 'i', letter['i'], 'p', letter['p'] or '')
if ARGV[2] ~= '' then redis.call('ZADD', KEYS[5], ARGV[2], letter['i']) end
redis.call('SET', KEYS[3], forget(KEYS[1], KEYS[2], found[1], (tonumber(redis.call('GET', KEYS[3]) or '0') or 0)))
return 1
""")

DROP = Script(f"""
-- KEYS: dead letters, their payloads, bytes of these; ARGV: letter
{_FORGET}
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if #found == 0 then return 0 end
redis.call('SET', KEYS[3], forget(KEYS[1], KEYS[2], found[1], (tonumber(redis.call('GET', KEYS[3]) or '0') or 0)))
return 1
""")

LEAD = Script("""#!lua flags=allow-oom
-- KEYS: leader; ARGV: consumer, milliseconds. 2: taken over, 1: kept, 0: somebody else's
local leader = redis.call('GET', KEYS[1])
if leader == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return 1
end
if leader then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 2
""")
"""A few bytes, without which nobody may take the reads off a full Redis."""

LEAVE = Script("""#!lua flags=allow-oom
-- KEYS: leader; ARGV: consumer
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], 0)
""")
"""The next leader need not wait."""

MEMBERS = Script("""#!lua flags=allow-oom
-- KEYS: members; ARGV: consumer, for so many milliseconds, 0 to leave. Answers those that are there.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
for _, gone in ipairs(redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE')) do redis.call('ZREM', KEYS[1], gone) end
if ARGV[2] == '0' then
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
end
return redis.call('ZRANGE', KEYS[1], 0, -1)
""")

AGREE = Script("""#!lua flags=allow-oom
-- KEYS: how many partitions there are, then streams of a bus that knew of none; ARGV: how many there should be
-- Answers how many there are.
local known = redis.call('GET', KEYS[1])
if tonumber(known or '') then return tonumber(known) end
for place = 2, #KEYS do
  if redis.call('XLEN', KEYS[place]) > 0 then return 1 end
end
redis.call('SET', KEYS[1], ARGV[1])
return tonumber(ARGV[1])
""")

CHANGE = Script("""
-- KEYS: how many partitions there are; ARGV: how many there were, how many there shall be
if (redis.call('GET', KEYS[1]) or '1') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
""")

GROUP = Script("""#!lua flags=allow-oom
-- KEYS: stream; ARGV: group. 1 where it had to be made
local there = redis.pcall('XINFO', 'GROUPS', KEYS[1])
if not there.err then
  for _, group in ipairs(there) do
    for i = 1, #group, 2 do
      if group[i] == 'name' and group[i + 1] == ARGV[1] then return 0 end
    end
  end
end
redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
return 1
""")

REMEMBER = Script("""#!lua flags=allow-oom
-- KEYS: memory of the camera; ARGV: what is remembered, milliseconds
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
""")
"""Without it no track could be concluded, and their reads would stay."""

DECLARE = Script("""#!lua flags=allow-oom
-- KEYS: state of the camera; ARGV: live, ended
redis.call('HSET', KEYS[1], 'live', ARGV[1], 'ended', ARGV[2])
return 1
""")

SWEEP = Script("""#!lua flags=allow-oom
-- KEYS: flight, sizes and since of the camera, then the streams on which its events travel
-- ARGV: camera, event that is waited for
-- Takes out of flight what is on none of the streams, and tells how many; none where what is waited for is there.
local present = {}
for place = 4, #KEYS do
  local after = '-'
  while true do
    local entries = redis.call('XRANGE', KEYS[place], after, '+', 'COUNT', 20)
    for _, entry in ipairs(entries) do
      local camera, identity
      for i = 1, #entry[2], 2 do
        if entry[2][i] == 'c' then camera = entry[2][i + 1] end
        if entry[2][i] == 'i' then identity = entry[2][i + 1] end
      end
      if camera == ARGV[1] and identity then
        if identity == ARGV[2] then return 0 end
        present[identity] = true
      end
    end
    if #entries < 20 then break end
    after = '(' .. entries[#entries][1]
  end
end
local gone = 0
for _, identity in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if not present[identity] then
    gone = gone + redis.call('ZREM', KEYS[1], identity)
    redis.call('ZREM', KEYS[2], identity)
    redis.call('ZREM', KEYS[3], identity)
  end
end
return gone
""")
"""Reads every payload that waits, some 2 ms a MB: for when something seems to be lost, not for every day."""
