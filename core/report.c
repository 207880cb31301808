#include "core/report.h"

void report_sample(struct things *things, struct point *p, enum news news)
{
	if (things && p->thing && news != NEWS_NONE)
		things_news(things, p->thing);
}
