"""The Lua scripts that make a hand-over between streams one step, so that nothing is lost and nothing comes twice.

Every key carries the same hash tag, so the scripts also run on a Redis cluster.

A Redis at its `maxmemory` refuses whatever could grow, unless a script has written already or says `allow-oom`: so what
takes from a full Redis goes on, what ends or renews goes on, and only what adds is refused.
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

_FORGET: Final = """
-- Deletes a letter, given with its fields, and its payload; the bytes that are kept after it
local function forget(dead, payloads, entry, total)
  redis.call('XDEL', dead, entry[1])
  redis.call('XDEL', payloads, entry[1])
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'k' then total = total - tonumber(entry[2][i + 1]) end
  end
  return total
end
"""

REJECT: Final = f"""
-- KEYS: stream, flight of the camera, dead letters, their payloads, bytes of these
-- ARGV: group, entry, camera, captured at ns, identity, payload, stream name, reason, now ns, size,
--       at most so many, at most so many bytes
{_FORGET}
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('XDEL', KEYS[1], ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[5])
local kept = string.len(ARGV[6])
local id = redis.call('XADD', KEYS[3], '*', 'c', ARGV[3], 't', ARGV[4], 'i', ARGV[5], 's', ARGV[7], 'r', ARGV[8],
  'd', ARGV[9], 'n', ARGV[10], 'k', kept)
if kept > 0 then redis.call('XADD', KEYS[4], id, 'p', ARGV[6]) end
local total = tonumber(redis.call('GET', KEYS[5]) or '0') + kept
local count = redis.call('XLEN', KEYS[3])
while count > 1 and (count > tonumber(ARGV[11]) or total > tonumber(ARGV[12])) do
  total = forget(KEYS[3], KEYS[4], redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', 1)[1], total)
  count = count - 1
end
redis.call('SET', KEYS[5], total)
return 1
"""
"""Payloads lie beside the letters, under the same id, so that letters are listed and counted without them."""

REPLAY: Final = f"""
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
redis.call('SET', KEYS[3], forget(KEYS[1], KEYS[2], found[1], tonumber(redis.call('GET', KEYS[3]) or '0')))
return 1
"""

DROP: Final = f"""
-- KEYS: dead letters, their payloads, bytes of these; ARGV: letter
{_FORGET}
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if #found == 0 then return 0 end
redis.call('SET', KEYS[3], forget(KEYS[1], KEYS[2], found[1], tonumber(redis.call('GET', KEYS[3]) or '0')))
return 1
"""

LEAD: Final = """#!lua flags=allow-oom
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
"""A few bytes, without which nobody may take the reads off a full Redis."""

GROUP: Final = """#!lua flags=allow-oom
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
"""

REMEMBER: Final = """#!lua flags=allow-oom
-- KEYS: memory of the camera; ARGV: what is remembered, milliseconds
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
"""Without it no track could be concluded, and their reads would stay."""

DECLARE: Final = """#!lua flags=allow-oom
-- KEYS: state of the camera; ARGV: live, ended
redis.call('HSET', KEYS[1], 'live', ARGV[1], 'ended', ARGV[2])
return 1
"""

SWEEP: Final = """#!lua flags=allow-oom
-- KEYS: flight of the camera, then the streams on which its events travel; ARGV: camera, event that is waited for
-- Takes out of flight what is on none of the streams, and tells how many; none where what is waited for is there.
local present = {}
for place = 2, #KEYS do
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
  if not present[identity] then gone = gone + redis.call('ZREM', KEYS[1], identity) end
end
return gone
"""
"""Reads every payload that waits, some 2 ms a MB: for when something seems to be lost, not for every day."""
