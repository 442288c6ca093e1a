extern volatile unsigned executions;

int add(int a, int b);
int sum(int n);
int twice(int n);
