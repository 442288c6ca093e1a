-- Workload of the accuracy harness. It must run the same functions the same
-- number of times in every build: no clock, no address, no random seed.
math.randomseed(42, 7)
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
local out = {}
local function say(...) -- numbers and strings are kept; an address never gets into a string
  local line = {}
  for i = 1, select("#", ...) do
    local v = select(i, ...)
    line[i] = (type(v) == "string" or type(v) == "number") and v or type(v)
  end
  out[#out + 1] = table.concat(line, " ")
end

-- sorting, with and without a comparator, and one that is invalid
local t = {}
for i = 1, 220 do t[i] = (i * 7919) % 1009 end
table.sort(t)
table.sort(t, function(a, b) return a > b end)
local words = {}
for w in ("the quick brown fox jumps over the lazy dog again and again"):gmatch("%a+") do words[#words + 1] = w end
table.sort(words)
say(table.concat(words, ","))
say(pcall(table.sort, {3, 1, 2, 5, 4, 9, 8, 7, 6, 0}, function() return true end) and "sorted" or "invalid order")

-- strings
for i = 1, 25 do
  say(string.format("%5d|%-8s|%08.3f|%x|%q|%g|%i|%c|%o|%e|%a|%%|%s", i, "s" .. i, i / 3, i, "a\n\0b" .. i, i * 1.5, i, 65 + i, i, i / 7, 0.5, tostring(i % 2 == 0)))
end
say(string.format("%q %q %q %q", 1, 1.5, math.mininteger, 1 / 0))
say(("x"):rep(10, "-"), ("abc"):reverse(), ("AbC"):lower(), ("AbC"):upper(), #"xyz", ("abc"):byte(1, 3))
say(string.char(72, 105), ("hello world"):sub(3, -3), ("hello"):len())
say((("hello world from lua"):gsub("(%w+) (%w+)", "%2 %1")))
say((("abc"):gsub("%w", {a = "1", b = 2, c = false})))
say((("abc def"):gsub("%f[%a]%a+", function(s) return s:upper() end)))
say((("x = (a(b)c) y"):gsub("%b()", "[]")))
say((("aaa bbb"):gsub("(a)(a)%1", "<%0>")))
say(("key = value"):match("^(%w+)%s*=%s*(%w+)$"))
say(("key = value"):find("=", 1, true), ("key = value"):find("v[a-c]l.-e"), ("  trim "):match("^%s*(.-)%s*$"))
say(("[[x]]"):find("[]x]+"), ("a-b_c"):gsub("[^%w_]", "."), ("()"):match("()%(()"))
say(select("#", ("2024-01-02"):match("(%d+)-(%d+)-(%d+)")))
for k, v in ("a=1, b=2, c=3"):gmatch("(%w+)=(%w+)") do say(k, v) end
for i = 1, 30 do local s = ("ab"):rep(i); say(#s:gsub("a?b-", "x"), s:find("b", -1)) end
say(pcall(string.rep, "x", 1 << 40), pcall(string.format, "%d", "x"), pcall(string.format, "%y", 1), pcall(string.find, "a", "[a"), pcall(string.find, "a", "%"), pcall(string.gsub, "a", "(a", "x"), pcall(string.gsub, "a", "a", "%9"))
local p = string.pack("<i4 >I2 z s1 d n j !8 i8 Bhxx", 7, 8, "zed", "str", 1.5, 2.5, 99, -1, 200, -3)
say(#p, string.unpack("<i4 >I2 z s1 d", p), string.packsize("i4i8!8d"), pcall(string.unpack, "i17", "x"), string.pack(">f", 0.5):byte(1, -1))
say("10" + 5, "0x10" * 2, "3" // 1, 10 .. "", -"2", "1e1" % 3, pcall(function() return "7" & 3 end), 2 ^ "3", pcall(function() return "a" + 1 end))
say(utf8.char(72, 228, 8364, 128512), utf8.len("häß€"), utf8.codepoint("€", 1), utf8.offset("häß", 3), pcall(utf8.len, {}), utf8.len("\xff"))
for pos, c in utf8.codes("aé€") do say(pos, c) end
say(("%s %s"):format("long " .. ("z"):rep(120), setmetatable({}, {__tostring = function() return "obj" end})))

-- recursion, closures, varargs, tail calls
say(fib(14))
local function sum(...) local s = 0 for i = 1, select("#", ...) do s = s + (select(i, ...)) end return s end
say(sum(1, 2, 3, 4, 5), sum(table.unpack({5, 6, 7, 8})), select(-1, 1, 2, 3))
local function tail(n, acc) if n == 0 then return acc end return tail(n - 1, acc + n) end
say(tail(120, 0), (function(...) return select("#", ...) end)(nil, nil))
local function deep(n) if n == 0 then return 0 end return 1 + deep(n - 1) end
say(deep(150))
local counters = {}
for i = 1, 12 do local n = i; counters[i] = function() n = n + 1; return n end end
for i = 1, 12 do counters[i](); say(counters[i]()) end
say(pcall(function() local function inf(n) return 1 + inf(n + 1) end return inf(0) end) and "never" or "overflow")

-- goto, loops, integer and float arithmetic
do
  local i = 1
  ::top::
  if i <= 20 then i = i + 1; if i % 3 == 0 then goto top end; i = i + 1; goto top end
  for a = 10, 1, -3 do say(a) end
  for a = 1.0, 2.0, 0.25 do say(a) end
  for a = 3, 1 do say(a) end
  say(pcall(function() for a = 1, 10, 0 do end end), pcall(function() for a = "x", 2 do end end))
  while true do i = i - 1; if i < 5 then break end end
  repeat local done = i > 10; i = i + 1 until done
  say(i, 7 // 2, -7 // 2, 7 % -3, -7 % 3, 7.5 // 2, -7.5 % 2, 7 / 2, 2 ^ 10, 1 << 4, 256 >> 4, 5 & 3, 5 | 3, 5 ~ 3, ~5)
  local x, y, k = 17, 5.5, 3
  for n = 1, 20 do
    x = x * k % 1000 + n; y = y / k + n - x // (n + 1); k = (k ~ n) & 15 | 1
    say(x, math.floor(y), k, x < y, x <= n, x == n, y > 3, x >= 100, -x, not x, x ~= k, x << (n & 3), x >> 1, x % 7, y % 3, x ^ 2, 2.5 // n, n // 2.5)
  end
  say(pcall(function() return 1 // 0 end), pcall(function() return 1 % 0 end), 1 // 0.0, 1 % 0.0, pcall(function() return 1.5 | 1 end), pcall(function() return {} < {} end), pcall(function() return 1 < "x" end), pcall(function() return "a" < "b" end))
  say(math.maxinteger + 1 == math.mininteger, 1 == 1.0, math.type(1), math.type(1.0), math.type("1"), math.tointeger(3.0), math.tointeger("8"), 3 | 0, "abc" < "abd", "a" .. 1 .. 2.5, 1 < 1.5, 2.5 < 3, 2 <= 2.5, 3.5 <= 3, 1e308 < math.maxinteger)
  say(math.floor(3.7), math.ceil(3.2), math.abs(-4), math.max(1, 5, 3), math.min(4, 2, 8), math.fmod(7, 3), math.fmod(7.5, 2), math.sqrt(16), math.sin(0), math.cos(0), math.exp(0), math.log(8, 2), math.log(100, 10), math.log(1), math.pi, math.huge, math.ult(1, -1), math.tan(0), math.asin(0), math.acos(1), math.atan(1, 2), math.deg(math.pi), math.rad(180), math.modf(3.7))
  for n = 1, 8 do say(math.random(n + 10), math.random(5, 100) > 0, math.random() < 1, math.random(0) ~= 0) end
  say(tonumber("0x1p4"), tonumber("10", 2), tonumber("zz", 36), tonumber("8", 8), tonumber("  12  "), tonumber("1e"), tonumber("0x"), tonumber("1e400"), tonumber("9223372036854775808"), tonumber(""))
end

-- tables: array and hash, growth, removal, iteration, length, move
local h = {}
for i = 1, 150 do h["k" .. i] = i; h[i * 10] = i; h[i + 0.5] = i end
local n = 0
for k, v in pairs(h) do n = n + v end
for i = 1, 150, 2 do h["k" .. i] = nil end
for i, v in ipairs({1, 2, 3, nil, 5}) do n = n + v end
say(n, #t, next({}), rawlen({1, 2}), rawequal(h, h), rawget(h, "k2"), #rawset({}, 1, 2), h[10], h[10.0], h.k2, h[true])
h[true] = 1; h[print] = 2; h[t] = 3; h[-1] = 4; h[2^53] = 5; h[say] = 6
say(h[true], h[print], h[t], h[-1], h[2^53], pcall(function() h[nil] = 1 end), pcall(function() h[0 / 0] = 1 end), pcall(next, {}, "nope"))
local q = {}
for i = 1, 60 do table.insert(q, i) end
for i = 1, 20 do table.insert(q, 1, i) end
for i = 1, 30 do table.remove(q, 1) end
for i = 1, 10 do table.remove(q) end
say(#q, table.concat(table.move(q, 1, 5, 3), ","), table.unpack(q, 1, 3), table.pack(1, nil, 3).n, pcall(table.concat, {{}}), pcall(table.insert, q, 999, 1), pcall(table.unpack, {}, 1, 1e8))
local matrix = {}
for i = 1, 12 do matrix[i] = {} for j = 1, 12 do matrix[i][j] = i * j end end
local tr = 0
for i = 1, 12 do for j = 1, 12 do tr = tr + matrix[i][j] * matrix[j][i] end end
say(tr, #{n = 1, 1, 2, 3, [10] = 4, fib(3), fib(4)}, #{table.unpack(q)})
local big = {}
for i = 1, 55 do big[i] = i end
for i = 55, 1, -1 do big[i] = nil end
for i = 3, 40 do big[i] = i end
say(#big > 0, #{1, nil, 3} > 0)

-- metatables
local V = {}
V.__index = V
V.__add = function(a, b) return setmetatable({x = a.x + b.x}, V) end
V.__sub = function(a, b) return setmetatable({x = a.x - b.x}, V) end
V.__mul = function(a, b) return setmetatable({x = (a.x or a) * (type(b) == "number" and b or b.x)}, V) end
V.__eq = function(a, b) return a.x == b.x end
V.__lt = function(a, b) return a.x < b.x end
V.__le = function(a, b) return a.x <= b.x end
V.__len = function(a) return a.x end
V.__unm = function(a) return setmetatable({x = -a.x}, V) end
V.__bnot = function(a) return ~a.x end
V.__shl = function(a, b) return a.x << b end
V.__idiv = function(a, b) return a.x // b end
V.__concat = function(a, b) return "V" .. (type(a) == "table" and a.x or a) .. (type(b) == "table" and b.x or b) end
V.__call = function(self, y) return self.x + y end
V.__tostring = function(a) return "V(" .. a.x .. ")" end
V.__pairs = function(a) return next, {1, 2}, nil end
V.__name = "Vector"
V.__close = function(a) say("close", a.x) end
local function new(x) return setmetatable({x = x}, V) end
for i = 1, 25 do
  local a, b = new(i), new(i * 2)
  local c = a + b - new(1)
  say(tostring(c), a == b, a < b, a <= b, #a, (-a).x, ~a, a << 1, a // 2, a .. b, a .. "s", "s" .. a, a(5), (a * 3).x, c.nothing, a >= b, a ~= b)
end
for k, v in pairs(new(1)) do say(k, v) end
do local c1 <close> = new(77); local c2 <const> = 5; say(c2) end
say(pcall(function() local c <close> = new(78); error("in close") end))
local prox = setmetatable({}, {__index = function(_, k) return k .. "!" end, __newindex = function(s, k, v) rawset(s, k, v) end, __metatable = "locked"})
prox.a = 1
say(prox.a, prox.b, getmetatable(prox), pcall(setmetatable, prox, {}), getmetatable("").__index == string)
local D = setmetatable({}, {__index = V}); D.__index = D
for i = 1, 10 do local d = setmetatable({x = i}, D); say(d.__name, rawget(d, "x"), d.zzz) end

-- errors
for i = 1, 15 do
  say(pcall(error, "e" .. i), pcall(error, {code = i}) and 1 or 0, pcall(error), select(2, xpcall(function() error("lvl", 2) end, function(m) return "H:" .. m end)))
end
say(pcall(function() local x; x.y = 1 end), pcall(function() undefinedfn() end), pcall(function() return #5 end), pcall(function() return ("x")() end), pcall(function() return nil .. "x" end), pcall(function() local a = {}; a.b.c = 1 end), pcall(function() return 2^53 | 1.5 end), pcall(string.rep))
say(assert(1, "no"), pcall(assert, false, "msg"), pcall(assert, nil), select("#", pcall(error)))
say(#debug.traceback("tb", 1) > 0, debug.getinfo(1, "l").currentline, debug.getinfo(print).what, debug.getinfo(fib, "SlnutrfL").nparams, #debug.getinfo(1, "S").short_src)
say(debug.getlocal(1, 1), debug.getupvalue(counters[1], 1), debug.setupvalue(counters[1], 1, 5), debug.setlocal(1, 1, fib), debug.upvalueid(counters[1], 1) ~= nil, debug.getmetatable("").__index ~= nil, debug.getregistry() ~= nil)
debug.upvaluejoin(counters[1], 1, counters[2], 1)
local hooks = 0
debug.sethook(function(ev, line) hooks = hooks + 1 end, "crl", 50)
for i = 1, 5 do fib(3) end
say(hooks > 0, debug.gethook() ~= nil)
debug.sethook()

-- coroutines
local function gen(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end) end
for v in gen(25) do n = n + v end
local co = coroutine.create(function(a, b) local c = coroutine.yield(a + b); local d, e = coroutine.yield(c * 2); return d + e end)
say(coroutine.resume(co, 1, 2)); say(coroutine.resume(co, 10)); say(coroutine.status(co)); say(coroutine.resume(co, 3, 4)); say(coroutine.resume(co), coroutine.status(co))
say(coroutine.isyieldable(), coroutine.running() ~= nil, pcall(coroutine.yield), pcall(coroutine.wrap(function() error("x") end)))
local cc = coroutine.create(function() local x <close> = new(5); coroutine.yield(1) end)
coroutine.resume(cc); say(coroutine.close(cc), coroutine.status(cc))
local cy = coroutine.wrap(function() local ok, v = pcall(function() coroutine.yield(1); error("after") end); coroutine.yield(v); table.sort({3, 2, 1}, function(a, b) return a < b end); return setmetatable({}, {__add = function(a, b) return coroutine.yield(9) end}) + 1 end)
say(cy(), cy(), cy(), cy(5))
say(coroutine.wrap(function() return pcall(pcall, coroutine.yield, 4) end)())
say(coroutine.resume(coroutine.create(function() for k in coroutine.wrap(function() coroutine.yield(1) end) do coroutine.yield(k) end end)))

-- load, dump, compile errors, require
for i = 1, 6 do
  local f = assert(load("local a, b = ... ; local t = {a, b; x = a, ['y'] = b, [" .. i .. "] = 'z'}; for k, v in pairs(t) do a = a + (tonumber(v) or 0) end; if a > b and b < 10 or not a then return a, -b, #t, ~i, a .. b end; while a < 100 do a = a * 2 end; return function() return a, b, t.x, t[1], a // 3, a & 1, a == nil, a ~= 'x', 'k' .. i end", "chunk" .. i, "t", {pairs = pairs, tonumber = tonumber, i = i}))
  say(pcall(f, i, 3))
  local g = assert(load(string.dump(f, i % 2 == 0), "dumped", "b"))
  say(pcall(g, i, 4) and "ok" or "err")
end
for _, src in ipairs({"x = = 1", "for", "goto nowhere", "local x <const> = 1; x = 2", "break", "return 'abc", "x = [[abc", "x = 1e", "x = '\\400'", "::a:: ::a::", "local x <foo> = 1", "x = }", "return '\\u{7FFFFFFFF}'", "f(", "a.b:c = 1", "return ... + ", "x = 0x", "--[==[ open", "x = '\\q'", "local function f() return ... end"}) do say(load(src)) end
local parts, pi = {"return ", "1 + ", "2"}, 0
say(load(function() pi = pi + 1; return parts[pi] end)(), pcall(load, function() error("rd") end), load("\27Lua"))
say(load([==[
  local s = 'esc\n\t\x41\65\u{20AC}\z
     cont' .. "q\"" -- comment
  --[[ block
  comment ]] local l = [=[
long]=] local i, f, hx, hf = 12, 1.5e-3, 0xFF, 0x1.8p1
  local function v(...) local a, b = ..., 1; return {...}, a, b end
  local o = {m = function(self, x) return x end}
  function o.f(a) return a end function o:g(a) return self, a end
  return s, l, i, f, hx, hf, o:m(3), o.f(1), #v(1, 2), (v(1)), i // 2 * 3 - f / 2 ^ 2, not i and f or hx, i < 2, i > 2, i <= 2, i >= 2, i == 12, 12 == i, i ~= 5, i & 7 | 8 ~ 1 << 2 >> 1, -i, ~i, i .. f .. hx, 1 + 2 * 3, "a" .. "b", 5 + i, i + 5, i - 5, 5 - i, i * 2.0, i // 1, 3 & i, i % 4, 2 << i, i << 2, i >> 2
]==])())
package.preload.mod = function(name, extra) return {name = name, extra = extra} end
say(require("mod").name, require("mod").extra, pcall(require, "does.not.exist"), package.searchpath("nope", "./?.lua;./?/init.lua"), pcall(package.loadlib, "./none.so", "*"))
say(pcall(dofile, "none.lua"), loadfile("none.lua"))

-- io
local f = assert(io.open("lua-scratch.txt", "w+"))
f:setvbuf("full", 1024)
for i = 1, 20 do f:write("line ", i, " ", i / 4, "\n") end
f:seek("set", 0)
for line in f:lines() do n = n + #line end
f:seek("set"); say(f:read("l", "L", "n", 5), f:read("a") and 1)
f:seek("set"); say(f:read("n", "n"), f:read(0), f:seek("cur"), f:seek("end"), f:read("l"), f:read("a"))
f:flush(); f:close()
say(io.type(f), io.type(io.stdout), io.type(1), tostring(f), pcall(f.read, f), io.open("/nonexistent/x"))
for line in io.lines("lua-scratch.txt") do n = n + 1 end
for a, b in io.lines("lua-scratch.txt", 4, "l") do n = n + 1 end
io.output("lua-scratch.txt"); io.write("return 1, ", 2.5, " -- hex 0x1p4\n"); io.close(); io.output(io.stdout)
io.input("lua-scratch.txt"); say(io.read("L")); io.close(io.input()); io.input(io.stdin)
say(dofile("lua-scratch.txt"), loadfile("lua-scratch.txt", "t")())
local nf = io.open("lua-scratch.txt", "w"); nf:write("0x1F -12 3.5e2 .5 nan"); nf:close()
nf = io.open("lua-scratch.txt"); say(nf:read("n", "n", "n", "n", "n")); nf:close()
say(os.rename("lua-scratch.txt", "lua-scratch2.txt"), os.remove("lua-scratch2.txt"), os.remove("lua-scratch2.txt"), os.getenv("NOPE"), os.setlocale("C"), os.date("!%Y-%m-%d %H:%M:%S", 86400), os.date("!*t", 0).year, os.time({year = 2020, month = 1, day = 1, hour = 12}) > 0, os.difftime(5, 3))

-- garbage: full, steps, generational, weak tables, finalisers, ephemerons
local weak, eph, weakv = setmetatable({}, {__mode = "k"}), setmetatable({}, {__mode = "k"}), setmetatable({}, {__mode = "v"})
for i = 1, 30 do local k = {}; weak[k] = i; eph[{}] = {i}; weakv[i] = {i}; weakv["s" .. i] = i % 2 == 0 and out or {} end
for i = 1, 12 do setmetatable({}, {__gc = function() n = n + 1 end}) end
collectgarbage()
for i = 1, 10 do eph[out] = {eph}; local s = ("g"):rep(i * 50) .. i; collectgarbage("step", 1) end
collectgarbage("generational")
local keep = {}
for i = 1, 200 do keep[i % 20] = {i, {i}, function() return i end, "str" .. i}; if i % 50 == 0 then collectgarbage("step") end end
for i = 1, 5 do setmetatable({}, {__gc = function(o) keep[1] = o end, __mode = "v"}) collectgarbage() end
local gco = coroutine.wrap(function() local x = {} coroutine.yield(); keep.x = x end)
gco(); collectgarbage("step"); gco()
collectgarbage("incremental", 150, 200, 10)
for i = 1, 400 do keep[i] = {("q"):rep(i % 45), i} end
collectgarbage("stop"); say(collectgarbage("isrunning")); collectgarbage("restart"); collectgarbage("setpause", 200); collectgarbage("setstepmul", 100)
collectgarbage(); collectgarbage()
say(collectgarbage("count") > 0, n)
say(tostring(nil), tostring(true), tostring(1e15), tostring(-0.0), tostring(2^63), tostring(1e100), type(print), _VERSION, select("#", out))
warn("@on"); warn("a ", "warning"); warn("@off")
print(#out, #table.concat(out, "\n"))
os.exit(true, true)
