-- Refuses requests that carry OGNL for Struts 2.1 to evaluate (CVE-2010-1870, CVE-2011-3923, CVE-2012-0391, CVE-2012-0392,
-- CVE-2013-2251, CVE-2013-2134, CVE-2014-0094, CVE-2016-3081, CVE-2017-5638, CVE-2018-11776).
--
-- Sets txn.ognl to "pass", or leaves it unset and says in txn.refused what was found.
--
-- Names of parameters are evaluated by Struts, so they are held to what names of form fields look like. Values are people's
-- text: "C# costs 5% more; redirect: see #3" and "${title}" are fine. They are refused only for an expression that does
-- something: an opening %{ ${ #{ followed by a variable (#x), a static member (@class@member), a constructor, a way to a class
-- or a calculation; or one of the few forms that are evaluated without an opening.
--
-- Encodings are taken off until nothing changes (percent, %u, \u, \x and octal escapes): every layer is inspected, since
-- nobody knows which of them a server takes off.

local DEEPEST = 8 -- layers of encoding; ordinary requests have one or two
local MOST_PARAMETERS = 1000 -- in a query or body, as Jetty has it; bounds the time that an inspection takes

local function hex_char(digits)
  local code = tonumber(digits, 16)
  return code < 256 and string.char(code) or utf8.char(code)
end

local function percent_decode(s)
  s = s:gsub("%%[uU](%x%x%x%x)", hex_char)
  return (s:gsub("%%(%x%x)", hex_char))
end

-- The escapes of OGNL's own string and identifier syntax.
local function unescape(s)
  if not s:find("\\", 1, true) then
    return s
  end
  s = s:gsub("\\+[uU]+(%x%x%x%x)", hex_char)
  s = s:gsub("\\+[xX](%x%x)", hex_char)
  return (s:gsub("\\+([0-3]?[0-7]?[0-7])", function(digits)
    return string.char(tonumber(digits, 8))
  end))
end

-- Calls check for s and for each layer under it; returns the first finding. Text that never comes to rest is a finding.
local function each_layer(s, check)
  for _ = 1, DEEPEST do
    local found = check(s)
    if found then
      return found
    end
    local inner = unescape(percent_decode(s))
    if inner == s then
      return nil
    end
    s = inner
  end
  return "encoded more than " .. DEEPEST .. " times"
end

-- Expressions ---------------------------------------------------------------------------------------------------------------

local PACKAGES = { java = true, javax = true, org = true, com = true, net = true, sun = true, jdk = true, ognl = true, io = true, groovy = true }

-- @java.lang.Runtime@getRuntime
local function static_member(s)
  for package in s:gmatch("@%s*(%a[%w_]*)%s*%.[%w_$.%s]*@%s*[%a_]") do
    if PACKAGES[package:lower()] then
      return true
    end
  end
  return false
end

-- What is evaluated without an opening too, where a text is put into an expression.
local function bare_expression(s)
  if static_member(s) then
    return "a static member of a class"
  end
  if not s:find("#", 1, true) then
    return nil
  end
  local lower = s:lower()
  if lower:find("#%s*_?memberaccess") then
    return "#_memberAccess"
  end
  if lower:find("#%s*context%s*[%[=]") or lower:find("#%s*context%s*%.%s*%a+%s*[%(%[=]") then
    return "#context"
  end
  if lower:find("#%s*[%a_][%w_]*%s*=%s*new%s+%a[%w_]*%s*%.") then
    return "a constructor"
  end
end

-- What makes the inside of an opening an expression rather than a placeholder. All in lower case.
local ACTIVE = {
  "#%s*[%a_]", -- a variable of the context
  "#%s*[{@]", -- a map
  "@[%w_.$%s]*@", -- a static member
  "new%s+[%w_]+%s*%.%s*[%w_]", -- a constructor with a package
  "new%s+[%w_]+%s*%[", -- an array
  "java[x]?%s*%.",
  "class%s*[%.%[%(]",
  "classloader",
  "getclass",
  "forname",
  "getruntime",
  "processbuilder",
  "memberaccess",
  "methodaccess",
  "%f[%w_]context%s*%[",
}

local OPENING = "[%%$#]%s*{%s*"

-- The usual first probes: a calculation with numbers, and one with texts.
local PROBES = {
  OPENING .. "%(*%s*%-?%d[%d.]*%s*[-+*/%%&|^<>=]+%s*%-?%(*%s*%d",
  OPENING .. "['\"][^'\"]*['\"]%s*[-+.]",
}

-- Returns the end of the expression whose inside begins at position, with braces counted as Struts counts them.
local function closing(s, position)
  local depth = 1
  for at, brace in s:gmatch("()([{}])", position) do
    depth = depth + (brace == "{" and 1 or -1)
    if depth == 0 then
      return at
    end
  end
  return #s
end

local function opened_expression(s)
  if not s:find(OPENING) then
    return nil
  end
  s = s:lower()
  for _, pattern in ipairs(PROBES) do
    if s:find(pattern) then
      return "a calculation"
    end
  end
  -- What is opened inside an expression is inspected with it, so each character is looked at once.
  local from = 1
  while true do
    local _, opening = s:find(OPENING, from)
    if not opening then
      return nil
    end
    local last = closing(s, opening + 1)
    local inside = s:sub(opening + 1, last)
    for _, pattern in ipairs(ACTIVE) do
      if inside:find(pattern) then
        return "an expression"
      end
    end
    from = last + 1
  end
end

local function bad_value(s)
  return bare_expression(s) or opened_expression(s)
end

-- Names ---------------------------------------------------------------------------------------------------------------------

-- Objects that Struts offers to names, beside the action's own properties: no form writes to them.
local ROOTS = {
  session = true, request = true, application = true, parameters = true, attr = true, dojo = true,
  servletrequest = true, servletresponse = true, servletcontext = true,
}

-- Letters of any language, digits, and what separates them in order.items[0].price, map['key'], __checkbox_agree, or in a query
-- that is no parameter at all but a word or a path.
local function bad_name(s)
  if s:find("[^%w_%-%.%[%]'\" ~*!/%%\128-\255]") then
    local prefix = s:lower():match("^%s*(%a+)%s*:")
    if prefix == "action" or prefix == "redirect" or prefix == "redirectaction" or prefix == "method" then
      return "a " .. prefix .. ": prefix"
    end
    return "an expression in a name"
  end
  local parts, first = {}, true
  for part in s:lower():gmatch("[%w_]+") do
    parts[#parts + 1] = part
  end
  for i, part in ipairs(parts) do
    if part == "classloader" or part == "memberaccess" or part == "_memberaccess" or (part == "class" and parts[i + 1]) then
      return "a way to a class in a name"
    end
    if first and ROOTS[part] and s:lower():find(part .. "%s*[%.%[]") then
      return "the " .. part .. " object in a name"
    end
    first = false
  end
end

-- Where names and values are ------------------------------------------------------------------------------------------------

local function bad_parameters(s)
  local count = 0
  for pair in s:gmatch("[^&]+") do
    count = count + 1
    if count > MOST_PARAMETERS then
      return "more than " .. MOST_PARAMETERS .. " parameters"
    end
    pair = pair:gsub("%+", " ")
    local name, value = pair:match("^([^=]*)=(.*)$")
    local found = each_layer(name or pair, bad_name) or each_layer(value or "", bad_value)
    if found then
      return found
    end
  end
end

-- Character sets in which a "#" has the same byte as in ASCII. In others (UTF-16, EBCDIC) an inspection would be blind.
local function bad_charset(s)
  for charset in s:lower():gmatch("charset%s*=%s*[\"']?%s*([^%s\"';,]*)") do
    if not (charset == "utf-8" or charset == "utf8" or charset == "us-ascii" or charset:find("^iso%-8859%-%d+$") or charset:find("^windows%-125%d$")) then
      return "character set " .. charset:gsub("[^%w_-]", "?"):sub(1, 20)
    end
  end
end

-- Part headers are looked for in the whole body and not by the boundary, on which two parsers may disagree.
local function bad_parts(body)
  local text = body:gsub("\r\n?", "\n"):gsub("\n[ \t]+", " ")
  local from = 1
  while true do
    local first, last = text:find("[Cc][Oo][Nn][Tt][Ee][Nn][Tt]%-[%a%-]+%s*:[^\n]*", from)
    if not first then
      return nil
    end
    local line = text:sub(first, last)
    local found = bad_charset(line) or each_layer(line, bad_value)
    if not found and line:lower():find("^content%-disposition") then
      -- name="…", name=… and name*=charset''…; filename is a value and was inspected as one.
      for key, value in line:gmatch("([%w_%-]+%*?)%s*=%s*(\"[^\"]*\"?)") do
        if key:lower():gsub("%*", "") == "name" then
          found = found or each_layer(value:gsub('"', ""), bad_name)
        end
      end
      for key, value in line:gmatch("([%w_%-]+%*?)%s*=%s*([^%s\";][^;]*)") do
        if key:lower():gsub("%*", "") == "name" then
          found = found or each_layer(value:gsub("^[%w%-]*'[%w%-]*'", ""), bad_name)
        end
      end
    end
    if found then
      return found
    end
    from = last + 1
  end
end

local function bad_body(content_type, body)
  if body == "" then
    return nil
  end
  content_type = content_type:lower()
  local found
  if content_type:find("multipart", 1, true) then
    found = bad_parts(body)
  end
  if content_type:find("urlencoded", 1, true) then
    return found or bad_parameters(body)
  end
  return found or each_layer(body, bad_value)
end

-- Braces, backslashes and # have no place in a path; "!" calls a method and takes a plain name only.
local function bad_path(s)
  if s:find("[{}#\\%z]") then
    return "an expression in the path"
  end
  if s:find("![^/;]*[^%w_/;.]") then
    return "an expression after ! in the path"
  end
  return bare_expression(s)
end

local function bad_headers(headers)
  for name, values in pairs(headers) do
    for _, value in pairs(values) do
      local found = each_layer(value, bad_value)
      if not found and name == "content-type" then
        found = bad_charset(value) or (value:find("[{}#@$\\]") and "an expression") or nil
      end
      if not found and name == "cookie" then
        for cookie in value:gmatch("[^;%s][^;]*") do
          found = found or each_layer(cookie:match("^[^=]*"), function(s)
            return s:find("[#@(){}\\$]") and "an expression in a cookie's name" or nil
          end)
        end
      end
      if found then
        return name .. ": " .. found
      end
    end
  end
end

local function inspect(txn)
  local headers = txn.http:req_get_headers()
  local content_type = headers["content-type"] and headers["content-type"][0] or ""
  local size = tonumber(headers["content-length"] and headers["content-length"][0] or "0") or -1
  local body = txn.f:req_body() or ""

  local found
  if #body ~= size then
    found = "body: only " .. #body .. " of " .. size .. " bytes could be inspected"
  end
  found = found
    or each_layer(txn.f:path() or "", bad_path)
    or bad_parameters(txn.f:query() or "")
    or bad_headers(headers)
    or bad_body(content_type, body)

  if found then
    txn:set_var("txn.refused", "refused: " .. found)
  else
    txn:set_var("txn.ognl", "pass")
  end
end

core.register_action("inspect", { "http-req" }, inspect)
