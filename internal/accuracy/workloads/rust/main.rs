// Drives regex-syntax: parses patterns, prints and measures them.
use regex_syntax::hir::{self, Hir, HirKind};
use regex_syntax::{ast, Parser, ParserBuilder};

struct Depth {
    deepest: usize,
    depth: usize,
    literals: u32,
}

impl hir::Visitor for Depth {
    type Output = (usize, u32);
    type Err = ();

    fn finish(self) -> Result<(usize, u32), ()> {
        Ok((self.deepest, self.literals))
    }

    fn visit_pre(&mut self, hir: &Hir) -> Result<(), ()> {
        self.depth += 1;
        self.deepest = larger(self.deepest, self.depth);
        if let HirKind::Literal(_) = *hir.kind() {
            self.literals += 1;
        }
        Ok(())
    }

    fn visit_post(&mut self, _: &Hir) -> Result<(), ()> {
        self.depth -= 1;
        Ok(())
    }
}

fn larger<T: PartialOrd>(a: T, b: T) -> T {
    if a > b {
        a
    } else {
        b
    }
}

fn measure(pattern: &str, parser: &mut Parser) {
    match parser.parse(pattern) {
        Ok(hir) => {
            let m = hir::visit(&hir, Depth { deepest: 0, depth: 0, literals: 0 });
            println!("{} {:?} {}", hir, m, hir.is_always_utf8());
            let p = hir::literal::Literals::prefixes(&hir);
            let s = hir::literal::Literals::suffixes(&hir);
            println!("{} {:?}", p.literals().len(), s.longest_common_suffix());
        }
        Err(e) => println!("{}", e),
    }
}

fn main() {
    let file = std::env::args().nth(1).expect("a file of patterns");
    let text = std::fs::read_to_string(file).expect("readable");
    for line in text.lines() {
        measure(line, &mut Parser::new());
        measure(line, &mut ParserBuilder::new().unicode(false).case_insensitive(true).multi_line(true).swap_greed(true).allow_invalid_utf8(true).build());
        if let Ok(a) = ast::parse::ParserBuilder::new().ignore_whitespace(true).octal(true).build().parse(line) {
            println!("{}", a);
        }
    }
    println!("{} {}", regex_syntax::escape("a.b*c"), larger(1.5, 0.5));
}
