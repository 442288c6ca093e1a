package accuracy

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMarkIR(t *testing.T) {
	in := `define dso_local i32 @main() #0 !dbg !10 {
  %1 = call i8* @llvm.returnaddress(i32 0)
  call void @__cyg_profile_func_enter(i8* bitcast (i32 ()* @main to i8*), i8* %1), !dbg !12
  call void @__cyg_profile_func_exit(i8* bitcast (i32 ()* @main to i8*), i8* %1), !dbg !13
  ret i32 0
}
declare void @__cyg_profile_func_enter(i8*, i8*)
!1 = !DIFile(filename: "src/a.c", directory: "/d", checksumkind: CSK_MD5, checksum: "0")
!10 = distinct !DISubprogram(name: "main", scope: !1, file: !1, line: 3, type: !2)`
	got := markIR(in, archAMD64, "")
	if strings.Contains(got, "call void @__cyg") {
		t.Error("a call is left:\n" + got)
	}
	if !strings.Contains(got, `.asciz \22a.c:main\22`) || !strings.Contains(got, `"~{dirflag},~{fpsr},~{flags}"(), !dbg !12`) {
		t.Error("no marker:\n" + got)
	}
	if got := markIR(strings.Replace(in, "!dbg !10", "", 1), archAMD64, ""); strings.Contains(got, "__cyg_profile_func_enter(i8* b") || strings.Contains(got, "asm") {
		t.Error("an intrinsic, which has no debug information:\n" + got)
	}
}

func TestNamedMarks(t *testing.T) {
	record := func(distance int32, name string) []byte {
		return append(binary.LittleEndian.AppendUint32(nil, uint32(distance)), append([]byte(name), 0)...)
	}
	first := record(-0x100, "a.c:f")
	data := append(first, record(0x20, "b.h:g")...)
	got, err := namedMarks(data, 0x5000)
	if err != nil {
		t.Fatal(err)
	}
	want := map[uint64]function{0x4f00: {"f", "a.c"}, 0x5000 + uint64(len(first)) + 0x20: {"g", "b.h"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for n := range len(data) {
		if _, err := namedMarks(data[:n], 0); n != 0 && n != len(first) && err == nil {
			t.Errorf("cut at %d: no error", n)
		}
	}
}

func TestPairMarks(t *testing.T) {
	var data []byte
	for _, v := range []uint64{0x401000, 0x400100, 0x401050, 0x400100, 0x402000, 0x999999} {
		data = binary.LittleEndian.AppendUint64(data, v)
	}
	got, err := pairMarks(data, map[uint64]function{0x400100: fnA})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[uint64]function{0x401000: fnA, 0x401050: fnA}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := pairMarks(data[:15], nil); err == nil {
		t.Error("a cut record passed")
	}
}

func TestNewTruth(t *testing.T) {
	got := newTruth(map[function]uint64{fnA: 3, fnB: 0, {"x", "y.c"}: 4}, map[function]uint64{fnA: 3, fnB: 0, {"x", "y.c"}: 5})
	want := truth{Counts: []count{{fnA, 3}}, Noise: []noise{{function{"x", "y.c"}, 4, 5}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
