-- The load: GET of one path, each request with the next of the cookies in a file, until that many were
-- sent or that many milliseconds are over. Prints one line of JSON.
local ffi = require('ffi')
ffi.cdef([[
  typedef struct { long seconds; long nanoseconds; } instant;
  int clock_gettime(int, instant *);
  int getpid(void);
  int kill(int, int);
]])

local MONOTONIC, SIGINT = 1, 2
local requests, place, left, last = {}, 0, 0, 0
local instant = ffi.new('instant')

local function now()
  ffi.C.clock_gettime(MONOTONIC, instant)
  return tonumber(instant.seconds) * 1e3 + tonumber(instant.nanoseconds) / 1e6
end

function init(args)
  for cookie in io.lines(args[2]) do
    requests[#requests + 1] = wrk.format('GET', args[1], { Cookie = cookie })
  end
  left = tonumber(args[3])
  last = now() + tonumber(args[4])
end

function request()
  left = left - 1
  if left == 0 or left > 0 and now() > last then
    left = 0
    -- It makes wrk stop and report.
    ffi.C.kill(ffi.C.getpid(), SIGINT)
  end
  place = place % #requests + 1
  return requests[place]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.6f,"bytes":%d,"p50":%d,"p99":%d,"max":%d,"errors":%d}\n',
    summary.requests, summary.duration / 1e6, summary.bytes,
    latency:percentile(50), latency:percentile(99), latency.max,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout
  ))
end
