// A module of the kernel in kernel.c.
#define SECTION(name) __attribute__((section(name), used))

const char info[] SECTION(".modinfo") = "license=GPL\0name=my_fs\0vermagic=6.1.0-test";

int vfs_open(int n);
int helper_of_other(int n);

struct list_head { struct list_head *next, *prev; };
struct trace_event_fields { const char *type; const char *name; int size, align, is_signed, filter_type, len; };
struct trace_event_class { const char *system; void *probe; struct trace_event_fields *fields_array; };
struct tracepoint { const char *name; int key; };
struct trace_event_call { struct list_head list; struct trace_event_class *class; struct tracepoint *tp; void *data; };

struct tracepoint __tracepoint_my_event = { "my_event" };
static void *__bpf_trace_tp_map_my_event SECTION("__bpf_raw_tp_map") = &__tracepoint_my_event;
struct tracepoint __tracepoint_my_bare = { "my_bare" };
static struct trace_event_fields fields[] = { { "int", "n", 4, 4, 1 }, { 0 } };
static struct trace_event_class class = { "my_fs", 0, fields };
static struct trace_event_call event_my_event = { .class = &class, .tp = &__tracepoint_my_event };
struct trace_event_call *const events[] SECTION("_ftrace_events") = { &event_my_event };

__attribute__((noinline)) int my_open(int n) { return vfs_open(n) + helper_of_other(n); }
__attribute__((section(".noinstr.text"))) int my_quiet(int n) { return n; }
__attribute__((section(".init.text"))) int init_module(void) { return my_open(1) + 2; }
void *const mcount[] SECTION("__mcount_loc") = { my_open };
void *const blacklist[] SECTION("_kprobe_blacklist") = { init_module };
