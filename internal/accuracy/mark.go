package accuracy

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// markerVersion changes the keys of marked builds when the markers change.
const markerVersion = 2 // of C; of C++ see markText

// markSection holds one record a marker: for gcc the marker's address and the
// function's, 8 bytes each; for clang the distance to the marker, 4 bytes, and
// "file:function" as a C string.
const markSection = ".surehook_mark"

// markHeaderText is the forced include of gcc's marked builds. The function
// is "extern inline" in GNU's sense: inlined at every copy of every function,
// never emitted, so that the loops around it are optimised as always.
const markHeaderText = `extern __inline __attribute__((gnu_inline, always_inline, no_instrument_function))
void __cyg_profile_func_enter(void *fn, void *site)
{
	(void)site;
	__asm__ volatile("1: nop\n\t.pushsection ` + markSection + `,\"a\"\n\t.quad 1b, %c0\n\t.popsection" : : "i"(fn));
}
extern __inline __attribute__((gnu_inline, always_inline, no_instrument_function))
void __cyg_profile_func_exit(void *fn, void *site)
{
	(void)fn;
	(void)site;
}
`

// markText is the header for a language. C++ has functions that several files
// define: their records belong to the same section group, so that those of the
// copies that the linker drops go with them.
func markText(lang string) string {
	if lang != langCXX {
		return markHeaderText
	}
	return "extern \"C\" {\n" + strings.Replace(markHeaderText, `,\"a\"`, `,\"a?\"`, 1) + "}\n"
}

// markHeader writes the forced include of gcc's marked builds.
func (j job) markHeader() (string, error) {
	text := markText(j.p.lang)
	header := j.c.path("include", "mark-"+keyOf(text)+".h")
	if _, err := os.Stat(header); err == nil {
		return header, nil
	}
	return header, writeFile(header, []byte(text))
}

// markedObject compiles one file with clang: its front end wants a constant
// where gcc takes an inlined argument, so the markers are put into the IR
// before any pass has run.
func (j job) markedObject(ctx context.Context, file, object string) error {
	ir := strings.TrimSuffix(object, ".o") + ".ll"
	cc, target := j.b.driver(j.p.lang)
	args := append(slices.Clone(target), j.b.flags...)
	args = append(append(args, j.flags...), "-Xclang", "-disable-llvm-passes", "-finstrument-functions", "-emit-llvm", "-S", "-o", ir, file)
	if _, err := run(ctx, j.tree, cc, args...); err != nil {
		return err
	}
	text, err := run(ctx, "", "opt", "-S", "-passes=function(ee-instrument)", "-o", "-", ir)
	if err != nil {
		return err
	}
	if err := writeFile(ir, []byte(markIR(text, j.b.arch, j.p.lang))); err != nil {
		return err
	}
	_, err = run(ctx, j.tree, cc, append(append(target, j.b.flags...), "-w", "-c", "-o", object, ir)...)
	return err
}

// The lines of IR that markIR reads.
var (
	irDefine      = regexp.MustCompile(`^define .*@"?([\w.$]+)"?\(.*!dbg !(\d+)`)
	irEnter       = regexp.MustCompile(`call void @__cyg_profile_func_enter\(.*\)(, !dbg !\d+)?$`)
	irExit        = regexp.MustCompile(`call void @__cyg_profile_func_exit\(`)
	irSubprogram  = regexp.MustCompile(`^!(\d+) = .*!DISubprogram\(name: "([^"]+)",(?: linkageName: "([^"]+)",)?.* file: !(\d+)`)
	irDeclaration = regexp.MustCompile(` declaration: !(\d+)`)
	irFile        = regexp.MustCompile(`^!(\d+) = !DIFile\(filename: "([^"]+)"`)
)

// markIR replaces the calls that clang's instrumentation inserted by markers
// and removes those at the functions' ends.
func markIR(text, arch, lang string) string {
	clobbers := "~{dirflag},~{fpsr},~{flags}" // what clang itself adds on x86
	if arch != archAMD64 {
		clobbers = ""
	}
	flags := "a"
	if lang == langCXX {
		flags = "a?" // see markText
	}
	lines := strings.Split(text, "\n")
	names := irFunctions(lines)
	var out []string
	current := ""
	for _, line := range lines {
		if m := irDefine.FindStringSubmatch(line); m != nil {
			current = names[m[2]]
		} else if strings.HasPrefix(line, "define ") {
			current = ""
		}
		switch m := irEnter.FindStringSubmatch(line); {
		case m != nil && current == "":
			continue // the compiler's own intrinsics (attribute nodebug): not the program's
		case m != nil:
			line = fmt.Sprintf(`  call void asm sideeffect "1: nop\0A.pushsection %s,\22%s\22\0A.long 1b-.\0A.asciz \22%s\22\0A.popsection", "%s"()%s`, markSection, flags, current, clobbers, m[1])
		case irExit.MatchString(line):
			continue
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// irFunctions gives "file:function" by the number of the DISubprogram, as the
// walker names it: by the declaration, which has no linkage name where several
// bodies belong to it. Deleting destructors have no name.
func irFunctions(lines []string) map[string]string {
	files := map[string]string{}
	for _, line := range lines {
		if m := irFile.FindStringSubmatch(line); m != nil {
			files[m[1]] = filepath.Base(m[2])
		}
	}
	names, declarations := map[string]string{}, map[string]string{}
	gone := map[string]bool{}
	for _, line := range lines {
		m := irSubprogram.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		names[m[1]] = files[m[4]] + ":" + m[2]
		if link := mangled(m[3]); link != "" {
			names[m[1]] = ":" + family(link)
			gone[m[1]] = deleting(link)
		}
		if d := irDeclaration.FindStringSubmatch(line); d != nil {
			declarations[m[1]] = d[1]
		}
	}
	for n, d := range declarations {
		if name := names[d]; name != "" {
			names[n] = name
		}
	}
	for n, is := range gone {
		if is {
			delete(names, n)
		}
	}
	return names
}
