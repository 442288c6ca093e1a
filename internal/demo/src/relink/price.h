#define PRICE 100

int price(int amount);
