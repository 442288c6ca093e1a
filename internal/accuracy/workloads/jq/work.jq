# Workload of the accuracy harness: no clock, no environment. It stays short:
# every start binds every function of the library to every instruction.
def fac: if . <= 1 then 1 else . * (. - 1 | fac) end;
def outer($x; g): def inner: . + $x; [.[] | g | inner];
def t(f): try f catch .;
[
  t(.users | sort_by(.age), group_by(.age), unique_by(.age), max_by(.score), min_by(.score)),
  t([.users[].score] | add, min, max, sort),
  t(.users[0] | keys, keys_unsorted, del(.tags), has("name"), map_values(tojson)),
  t(.users[1:3] |= map(.id)),
  t(.matrix | (.[][1:] |= [0]), (.[0] - [2]), contains([[1]]), ([.[][]] | map(. % 3, -., . / 2, fac))),
  t(.deep | getpath(["a", "b"]), (setpath(["a", "x"]; 1) | delpaths([["a", "b"]]))),
  t(.text | split(","), (explode | implode), _strindices(","), startswith("a"), endswith("d"), ltrimstr("a,"), rtrimstr("d"), utf8bytelength),
  t(.text | _match_impl("a"; null; true)),
  t(.users[2].name | @json, @text, @html "<\("<&'\">")>", @uri, @sh, @base64, (@base64 | @base64d)),
  t([1, "a\"b", null] | @csv, @tsv),
  t(tojson | fromjson),
  t([1.5, 1e100, 1e-5, 123456789012, -0.0, 3e17] | map(tostring | tonumber), map(floor, sqrt)),
  t(reduce range(0; 10) as $i (0; . + $i)), [foreach .matrix[][] as $i (0; . + $i; [$i, .])],
  t(.users[0] as {name: $n, tags: [$u]} | [$n, $u]),
  t(error("custom")), t(error({code: 1})), t(1 + "x" | .), t({} - .), t([] | .a), t(0 as $z | 1 / $z, 5 % $z), t("x" | tonumber), t("{bad" | fromjson), t([1] | implode), t(keys | .x),
  (.nope // "alt"), (.a?.b?), t({b: {c: 2}} * {b: {d: 3}} + .empty), t(.text * 3), t(.text / ","),
  ([[1, 2], {"b": 1, "a": [1]}, "a", null, true, {}, []] | sort), (.a == .b, "a" < "b", [1] <= [2], {} > [], 1 != 2),
  ([1, 2] | outer(10; . * 2)), (label $f | 1, break $f, 2),
  (if . == null then 1 elif type == "object" then 2 else 3 end), (true and false, (null | not)), $__loc__, input_line_number, input_filename,
  t(0 | strftime("%Y-%m-%dT%H:%M:%SZ"), (gmtime | mktime)), t("2015-03-05T23:51:47Z" | strptime("%Y-%m-%dT%H:%M:%SZ")),
  t(infinite, nan | isinfinite, isnan, isnormal), t(pow(2; 10), fma(2; 3; 4)), t(5 | frexp, modf, lgamma_r),
  t(_input | type), t(modulemeta), ("d" | debug | stderr), get_search_list, ($ENV | type), t(.[1:]), t(length), t(.[0])
]
