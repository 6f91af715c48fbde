-- The load: GET of one path, each request with the next of the cookies in a file, until that many were
-- sent or the time is up. Prints one line of JSON.
local ffi = require('ffi')
ffi.cdef('int getpid(void); int kill(int, int);')

local requests, place, left = {}, 0, 0

function init(args)
  for cookie in io.lines(args[2]) do
    requests[#requests + 1] = wrk.format('GET', args[1], { Cookie = cookie })
  end
  left = tonumber(args[3])
end

function request()
  left = left - 1
  -- SIGINT makes wrk stop and report.
  if left == 0 then ffi.C.kill(ffi.C.getpid(), 2) end
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
