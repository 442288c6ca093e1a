// Classes whose methods are declared here and defined in two units.
#include <vector>

namespace shapes {
class Shape {
public:
	virtual ~Shape() {}
	virtual int area() const = 0;
	int twice() const { return area() * 2; }
	class Impl;
};

inline namespace v1 {
template <typename T> T larger(T a, T b) { return a < b ? b : a; }
}

class Box : public Shape {
	int w, h;

public:
	Box(int w, int h);
	int area() const override;
	static int count;
};
}

int total(const std::vector<shapes::Box> &boxes);
