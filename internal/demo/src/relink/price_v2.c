/* Version 2: two functions are inserted before price(). The offset at which
 * version 1 had price() now holds discount(). */
#include "price.h"

int discount(int amount)
{
	return amount * PRICE / 20;
}

int shipping(int amount)
{
	return amount > 2 ? 0 : PRICE / 2;
}

int price(int amount)
{
	int total = amount * PRICE + shipping(amount);

	return amount < 5 ? total : total - discount(amount);
}
