// C++: definitions outside of their class, local classes, lambdas, an
// anonymous namespace. Read by the test that compares with debug/dwarf.
#include "shared.hh"
#include <algorithm>
#include <cstdio>

namespace {
int hidden(int v) { return v * 3 + 1; }
struct Local {
	int operator()(int v) const { return hidden(v); }
};
}

class shapes::Shape::Impl {
public:
	int value;
	int get() const { return hidden(value); }
};

int shapes::Box::count = 0;

shapes::Box::Box(int w, int h) : w(w), h(h) { count++; }

int main(int argc, char **)
{
	struct Less {
		bool operator()(const shapes::Box &a, const shapes::Box &b) const { return a.twice() < b.twice(); }
	};
	std::vector<shapes::Box> boxes;
	for (int i = 0; i < argc + 3; i++)
		boxes.push_back(shapes::Box(i, shapes::larger(i, argc)));
	std::sort(boxes.begin(), boxes.end(), Less());
	auto shout = [&](int v) { std::printf("%d\n", v + Local()(argc)); };
	shout(total(boxes));
	shapes::Shape::Impl impl = { argc };
	return impl.get() > 100;
}
