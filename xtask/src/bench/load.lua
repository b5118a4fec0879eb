-- Posts the bodies of a folder in turn. Arguments: the folder, how many there are, their Content-Encoding or "identity",
-- and the mean pause of a connection between two requests, in milliseconds.
local requests = {}
local turn = 0

function init(args)
  local folder, count, encoding, pause = args[1], tonumber(args[2]), args[3], tonumber(args[4])
  local headers = {
    ["Content-Type"] = "application/json",
    ["Origin"] = "https://shop.example",
    ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
  }
  if encoding ~= "identity" then
    headers["Content-Encoding"] = encoding
  end
  for index = 0, count - 1 do
    local file = assert(io.open(folder .. "/" .. index, "rb"))
    requests[index] = wrk.format("POST", nil, headers, file:read("*a"))
    file:close()
  end
  if pause > 0 then
    function delay()
      return math.random(0, 2 * pause)
    end
  end
end

function request()
  turn = (turn + 1) % (#requests + 1)
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    "result requests=%d micros=%d transport=%d status=%d p50=%d p99=%d\n",
    summary.requests, summary.duration, errors.connect + errors.read + errors.write + errors.timeout,
    errors.status, latency:percentile(50), latency:percentile(99)))
end
