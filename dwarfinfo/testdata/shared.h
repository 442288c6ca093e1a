/* A header function that every unit inlines for itself. */
static inline int clamp(int v, int low, int high)
{
	if (v < low)
		return low;
	return v > high ? high : v;
}
