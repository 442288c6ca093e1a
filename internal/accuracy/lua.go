package accuracy

import "slices"

// luaProgram is the Lua interpreter. Its forced include removes the random
// seed and the hashes of addresses.
func luaProgram() program {
	return program{
		name:   "lua",
		builds: slices.Concat(builds(), clangLTO(), arm64()),
		source: source{
			Package: "lua5.4", Version: "5.4.4", Tarball: "lua5.4_5.4.4.orig.tar.gz", Root: "lua-5.4.4",
			SHA256: "164c7849653b80ae67bec4b7473b884bf5cc8d2dca05653475ec2ed27b9ebf61",
		},
		patterns: []string{"src/*.c"},
		without:  []string{"luac.c"},
		include:  "lua.h",
		flags:    []string{"-DLUA_USE_LINUX", "-DLUA_COMPAT_5_3", "-I$SRC/src"},
		libs:     []string{"-lm", "-ldl"},
		inputs: func() (map[string][]byte, error) {
			script, err := embedded("lua.lua")
			return map[string][]byte{"work.lua": script}, err
		},
		commands: []string{"./lua work.lua"},
	}
}
