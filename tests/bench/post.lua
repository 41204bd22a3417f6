-- wrk script: sends the HTTP request stored in the file named after "--", each time with another
-- id, and prints what was measured as one JSON object on the last line.
--
-- The variants are built before the clock starts. Ids must differ among the requests in flight: in
-- one legacy session two calls with the same id would be one call to a careful gateway.
local kVariants = 4096
local requests = {}
local next_request = 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  local text = file:read("*a")
  file:close()
  for i = 1, kVariants do
    requests[i] = (text:gsub("@@@@@@", tostring(100000 + i)))
  end
end

function request()
  next_request = next_request % kVariants + 1
  return requests[next_request]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"duration_us":%d,"bytes":%d,"p50_us":%.1f,"p99_us":%.1f,' ..
    '"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration, summary.bytes,
    latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
