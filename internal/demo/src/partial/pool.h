#define POOL_BLOCKS 64u

extern volatile unsigned executions;

void reserve(const char *owner, unsigned blocks);
void open_log(unsigned blocks);
void open_table(unsigned blocks);
