// SPDX-License-Identifier: Apache-2.0
// Loads programs of BPF objects with libbpf, each by itself, attaches them, and
// writes what became of each. It runs inside virtual machines.
//
// Every line of the input has an object, a program, a kind, a name and a system,
// with tabs between; every line of the output a stage ("" if all went well) and
// what libbpf said.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static char said[1 << 16];
static size_t length;

static int note(enum libbpf_print_level level, const char *format, va_list args)
{
	int n;

	if (level > LIBBPF_WARN || length >= sizeof(said) - 1)
		return 0;
	n = vsnprintf(said + length, sizeof(said) - length, format, args);
	if (n > 0)
		length += n;
	if (length >= sizeof(said))
		length = sizeof(said) - 1;
	return n;
}

// Tools set the sizes of some maps before they load them.
static void size_maps(struct bpf_object *o)
{
	struct bpf_map *m;

	bpf_object__for_each_map(m, o) {
		enum bpf_map_type type = bpf_map__type(m);

		if (type == BPF_MAP_TYPE_STACK_TRACE && !bpf_map__value_size(m)) {
			bpf_map__set_key_size(m, 4);
			bpf_map__set_value_size(m, 127 * 8);
		}
		if (!bpf_map__max_entries(m) && type != BPF_MAP_TYPE_PERF_EVENT_ARRAY)
			bpf_map__set_max_entries(m, type == BPF_MAP_TYPE_RINGBUF ? 1 << 16 : 1024);
	}
}

static struct bpf_link *attach(struct bpf_program *p, const char *kind, const char *name, const char *system)
{
	if (!strcmp(kind, "kprobe"))
		return bpf_program__attach_kprobe(p, false, name);
	if (!strcmp(kind, "kretprobe"))
		return bpf_program__attach_kprobe(p, true, name);
	if (!strcmp(kind, "tracepoint"))
		return bpf_program__attach_tracepoint(p, system, name);
	return bpf_program__attach(p);
}

static const char *try(char *file, char *name, char *kind, char *target, char *system)
{
	struct bpf_object *o = bpf_object__open_file(file, NULL);
	struct bpf_program *p, *mine = NULL;
	const char *stage = "";
	struct bpf_link *l;

	if (!o)
		return "open";
	bpf_object__for_each_program(p, o) {
		if (!strcmp(bpf_program__name(p), name))
			mine = p;
		else
			bpf_program__set_autoload(p, false);
	}
	size_maps(o);
	if (!mine) {
		stage = "find";
	} else if ((!strcmp(kind, "fentry") || !strcmp(kind, "fexit")) && bpf_program__set_attach_target(mine, 0, target)) {
		stage = "load";
	} else if (bpf_program__set_autoload(mine, true) || bpf_object__load(o)) {
		stage = "load";
	} else if (*kind) {
		l = attach(mine, kind, target, system);
		if (l)
			bpf_link__destroy(l);
		else
			stage = "attach";
	}
	bpf_object__close(o);
	return stage;
}

int main(int argc, char **argv)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	char line[4096];
	FILE *in, *out;

	if (argc != 3 || !(in = fopen(argv[1], "r")) || !(out = fopen(argv[2], "w"))) {
		fprintf(stderr, "usage: loadone IN OUT\n");
		return 2;
	}
	setrlimit(RLIMIT_MEMLOCK, &all);
	libbpf_set_print(note);
	while (fgets(line, sizeof(line), in)) {
		char *at = line, *field[5];
		const char *stage;

		line[strcspn(line, "\n")] = 0;
		for (int i = 0; i < 5; i++)
			if (!(field[i] = strsep(&at, "\t"))) {
				fprintf(stderr, "a line has not 5 fields\n");
				return 2;
			}
		length = 0;
		said[0] = 0;
		stage = try(field[0], field[1], field[2], field[3], field[4]);
		for (char *c = said; *c; c++)
			if (*c == '\n' || *c == '\t')
				*c = ' ';
		fprintf(out, "%s\t%s\n", stage, *stage ? said : "");
	}
	return fclose(out) ? 1 : 0;
}
