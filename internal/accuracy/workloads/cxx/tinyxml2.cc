// Drives tinyxml2: parses, walks, queries, changes and prints a document.
#include "tinyxml2.h"
#include <cstdio>
#include <cstring>

using namespace tinyxml2;

namespace {

class Counter : public XMLVisitor {
public:
	bool VisitEnter(const XMLElement &e, const XMLAttribute *a) override
	{
		++elements;
		for (; a; a = a->Next())
			length += strlen(a->Name()) + strlen(a->Value());
		return strcmp(e.Name(), "skip") != 0;
	}
	bool Visit(const XMLText &t) override { length += strlen(t.Value()); return true; }
	bool Visit(const XMLComment &) override { ++comments; return true; }
	int elements = 0, comments = 0;
	size_t length = 0;
};

int sum(const XMLElement *e)
{
	int s = e->IntAttribute("n", 1);
	for (const XMLElement *c = e->FirstChildElement(); c; c = c->NextSiblingElement())
		s += sum(c);
	return s;
}

void build(XMLDocument &doc)
{
	doc.InsertFirstChild(doc.NewDeclaration());
	XMLElement *root = doc.NewElement("made");
	doc.InsertEndChild(root);
	for (int i = 0; i < 40; ++i) {
		XMLElement *e = root->InsertNewChildElement(i % 3 ? "leaf" : "node");
		e->SetAttribute("n", i);
		e->SetAttribute("f", i * 0.5);
		e->SetAttribute("b", i % 2 == 0);
		e->SetAttribute("big", int64_t(i) << 40);
		if (i % 4 == 0)
			e->InsertNewText("text & <more>")->SetCData(i % 8 == 0);
		if (i % 5 == 0)
			e->InsertNewComment("c");
		if (i % 7 == 0)
			root->DeleteChild(e);
	}
	if (XMLElement *last = root->LastChildElement("leaf")) {
		last->SetName("renamed");
		last->DeleteAttribute("f");
		root->InsertFirstChild(last);
	}
}

void query(XMLDocument &doc)
{
	XMLHandle h(&doc);
	XMLElement *e = h.FirstChildElement("made").FirstChildElement().NextSiblingElement("node").ToElement();
	unsigned u = 0;
	double d = 0;
	bool b = false;
	int64_t big = 0;
	if (e)
		printf("%d %d %d %d", e->QueryUnsignedAttribute("n", &u), e->QueryDoubleAttribute("f", &d), e->QueryBoolAttribute("b", &b), e->QueryInt64Attribute("big", &big));
	printf(" %u %g %d %lld\n", u, d, b, static_cast<long long>(big));
}

} // namespace

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; ++i) {
		XMLDocument doc(true, i % 2 ? PRESERVE_WHITESPACE : COLLAPSE_WHITESPACE);
		if (doc.LoadFile(argv[i]) != XML_SUCCESS) {
			printf("%s: %s line %d\n", argv[i], doc.ErrorName(), doc.ErrorLineNum());
			continue;
		}
		Counter c;
		doc.Accept(&c);
		printf("%d %d %zu %d\n", c.elements, c.comments, c.length, sum(doc.RootElement()));
		XMLPrinter compact(nullptr, true);
		doc.Print(&compact);
		XMLDocument copy;
		doc.DeepCopy(&copy);
		copy.Print();
		printf("%s\n%d\n", compact.CStr(), copy.RootElement()->ShallowEqual(doc.RootElement()));
	}
	XMLDocument made;
	build(made);
	query(made);
	made.Print();
}
