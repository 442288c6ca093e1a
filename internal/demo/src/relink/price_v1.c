/* Version 1 of the library. */
#include "price.h"

int price(int amount)
{
	return amount * PRICE;
}
