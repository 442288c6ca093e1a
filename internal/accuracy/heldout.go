package accuracy

import "strings"

// heldout are programs that nobody looks at while sites is worked on. They are
// measured only when asked for, once, when the work is believed to be done: what
// was tuned to the other programs shows here.
func heldout() []program { return []program{bzip2Program(), cmarkProgram(), expatProgram()} }

// bzip2Program is the bzip2 command with its library.
func bzip2Program() program {
	return program{
		name:   "bzip2",
		builds: builds(),
		source: source{
			Package: "bzip2", Version: "1.0.8", Tarball: "bzip2_1.0.8.orig.tar.gz", Root: "bzip2-1.0.8",
			SHA256: "ab5a03176ee106d3f0fa90e381da478ddae405918153cca248e682cd0c4a2269",
		},
		patterns: []string{"blocksort.c", "huffman.c", "crctable.c", "randtable.c", "compress.c", "decompress.c", "bzlib.c", "bzip2.c"},
		flags:    []string{"-D_FILE_OFFSET_BITS=64"},
		inputs: func() (map[string][]byte, error) {
			files, err := zstdInputs()
			if err == nil {
				files["r.txt"] = []byte(strings.Repeat("a", 3000) + strings.Repeat("ab", 500))
			}
			return files, err
		},
		commands: []string{
			"./bzip2 -k -9 a.txt", "./bzip2 -k -1 -v b.bin", "./bzip2 -k -5 r.txt", "./bzip2 -t a.txt.bz2",
			"./bzip2 -d -c r.txt.bz2", "./bzip2 -d -s -c b.bin.bz2",
		},
	}
}

// cmarkProgram is the reference implementation of CommonMark.
func cmarkProgram() program {
	return program{
		name:   "cmark",
		builds: builds(),
		source: source{
			Package: "cmark", Version: "0.30.2", Tarball: "cmark_0.30.2.orig.tar.gz", Root: "cmark-0.30.2",
			SHA256: "6c7d2bcaea1433d977d8fed0b55b71c9d045a7cdf616e3cd2dce9007da753db3",
		},
		patterns: []string{"src/*.c"},
		flags:    []string{"-I$SRC/src", "-DCMARK_STATIC_DEFINE"},
		generated: func(string) (map[string][]byte, error) {
			return map[string][]byte{
				"src/config.h": []byte("#include <stdbool.h>\n#define HAVE_STDBOOL_H\n#define HAVE___BUILTIN_EXPECT\n#define HAVE___ATTRIBUTE__\n" +
					"#define CMARK_ATTRIBUTE(list) __attribute__ (list)\n#define CMARK_INLINE inline\n"),
				"src/cmark_version.h": []byte("#define CMARK_VERSION 0x1e02\n#define CMARK_VERSION_STRING \"0.30.2\"\n"),
				"src/cmark_export.h":  []byte("#define CMARK_EXPORT\n#define CMARK_NO_EXPORT\n"),
			}, nil
		},
		inputs: heldoutInputs("doc.md"),
		commands: []string{
			"./cmark --smart doc.md", "./cmark --unsafe --sourcepos doc.md", "./cmark -t xml doc.md", "./cmark -t man --width 60 doc.md",
			"./cmark -t latex doc.md", "./cmark -t commonmark --width 40 --hardbreaks doc.md",
		},
	}
}

// expatProgram is the XML parser with its command xmlwf.
func expatProgram() program {
	return program{
		name:   "expat",
		builds: builds(),
		source: source{
			Package: "expat", Version: "2.5.0", Tarball: "expat_2.5.0.orig.tar.gz", Root: "libexpat-R_2_5_0",
			SHA256: "ab00ee05c7067fd10a35c5d2a4922ebba746ddd50ff83b79c828da17bbdf1757",
		},
		patterns: []string{
			"expat/lib/xmlparse.c", "expat/lib/xmltok.c", "expat/lib/xmlrole.c",
			"expat/xmlwf/xmlwf.c", "expat/xmlwf/xmlfile.c", "expat/xmlwf/codepage.c", "expat/xmlwf/unixfilemap.c",
		},
		include: "heldout/expat.h",
		flags:   []string{"-I$SRC/expat/lib", "-DXML_NS", "-DXML_DTD", "-DXML_CONTEXT_BYTES=1024", "-DBYTEORDER=1234"},
		generated: func(string) (map[string][]byte, error) {
			return map[string][]byte{"expat/lib/expat_config.h": []byte("/* all by flags */\n")}, nil
		},
		inputs: heldoutInputs("doc.xml", "bad.xml"),
		commands: []string{
			"./expat -m doc.xml", "./expat -n -c doc.xml", "./expat -t doc.xml", "./expat -n -p -x doc.xml", "./expat bad.xml || test $? = 2",
		},
	}
}

func heldoutInputs(names ...string) func() (map[string][]byte, error) {
	return func() (map[string][]byte, error) {
		files := map[string][]byte{}
		for _, name := range names {
			data, err := embedded("heldout/" + name)
			if err != nil {
				return nil, err
			}
			files[name] = data
		}
		return files, nil
	}
}
