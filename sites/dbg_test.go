package sites
import ("testing";"os";"fmt";"github.com/surehook/surehook/elfbin")
func TestDbg(t *testing.T){
 b,err:=Open(os.Getenv("BIN"),Options{Debug:elfbin.DebugOptions{}})
 if err!=nil{t.Fatal(err)}
 for _,f:=range b.index.match(os.Getenv("FN"),false){
  fmt.Println(f.name,f.decls,len(f.copies))
  done:=map[int32]bool{}
  for _,c:=range f.copies{ die:=b.data.Copies[c].Func; if done[die]{continue}; done[die]=true
   bd:=b.bodyOf(die); fmt.Println(" body",bd.fn.Name,bd.fn.Ranges,bd.marks,bd.lines!=nil, b.data.Units[bd.fn.Unit].Producer[:20])
   for _,m:=range b.markers(bd,f){fmt.Printf("   marker %#x rows %d\n",bd.graph.Insns[m.insn].Addr,m.rows)}
   vs,orph:=b.views(bd,f)
   for _,v:=range vs{fmt.Printf("   view %d split %v size %d markers %v ranges %v entry %#x\n",v.index,v.split,v.region.size,v.markers,v.copy.Ranges,v.copy.EntryPC)}
   fmt.Println("   orphans",orph)
   for _,rg:=range bd.fn.Ranges{ for _,row:=range bd.lines.Between(rg.Low,rg.High){ if len(f.decls)>0&&int(row.Line)==f.decls[0].line{fmt.Printf("    row %#x %v %s\n",row.Addr,row,bd.fileOf(row))}}}
  }
 }
}
