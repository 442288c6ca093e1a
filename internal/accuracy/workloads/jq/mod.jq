import "m" as m;
import "d" as $d;
[$a, $b, ($s | length), ($d | length), (.users? | m::count)]
