-- Holds a request while none of a backend's servers is up. HAProxy itself queues only for servers that are up and busy, and
-- answers 503 at once when there is none, as during the seconds in which a container restarts.

local LIMIT = 30 -- seconds; the request goes on after that and gets HAProxy's 503
local STEP = 100 -- milliseconds between two looks
local SETTLE = 300 -- milliseconds before the first: checks have noticed by then what refused the request

local function wait_for_server(txn, backend)
  local deadline = core.now().sec + LIMIT
  core.msleep(SETTLE)
  while txn.f:nbsrv(backend) == 0 and core.now().sec < deadline do
    core.msleep(STEP)
  end
end

core.register_action("wait_for_server", { "http-req" }, wait_for_server, 1)
