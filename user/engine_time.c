/* engine_time.c: what the engine's own clock says of an object: was it there before the request that names it? */
#include "engine_time.h"
#include <string.h>
#include <time.h>

static bool number(const char **p, unsigned digits, int *out)
{
	*out = 0;
	for (unsigned i = 0; i < digits; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		*out = *out * 10 + **p - '0';
	}
	return true;
}

static bool text_of(struct span s, char *text, size_t size)
{
	if (!s.len || s.len >= size || memchr(s.ptr, 0, s.len))
		return false;
	memcpy(text, s.ptr, s.len);
	text[s.len] = 0;
	return true;
}

/* RFC 3339, with any fraction and zone. */
static bool created_parse(struct span s, int64_t *out)
{
	struct tm t = { 0 };
	int hours, minutes, sign;
	const char *p;
	char text[64];

	if (!text_of(s, text, sizeof(text)))
		return false;
	p = text;
	if (!number(&p, 4, &t.tm_year) || *p++ != '-' || !number(&p, 2, &t.tm_mon) || *p++ != '-' ||
	    !number(&p, 2, &t.tm_mday) || *p++ != 'T' || !number(&p, 2, &t.tm_hour) ||
	    *p++ != ':' || !number(&p, 2, &t.tm_min) || *p++ != ':' || !number(&p, 2, &t.tm_sec))
		return false;
	t.tm_year -= 1900;
	t.tm_mon--;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++)
			;
	*out = timegm(&t);
	if (*p == 'Z')
		return !p[1];
	sign = *p == '-' ? -1 : *p == '+' ? 1 : 0;
	p++;
	if (!sign || !number(&p, 2, &hours) || *p++ != ':' || !number(&p, 2, &minutes) || *p)
		return false;
	*out -= sign * (hours * 3600 + minutes * 60);
	return true;
}

/* RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool date_parse(struct span s, int64_t *out)
{
	struct tm t = { 0 };
	const char *end;
	char text[64];

	if (!text_of(s, text, sizeof(text)))
		return false;
	end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &t);
	if (!end || *end)
		return false;
	*out = timegm(&t);
	return true;
}

/* Both are whole seconds, and a volume is made in the second of its answer or in the one before. */
#define SLACK 2

bool engine_made_before(struct span created_at, struct span date)
{
	int64_t created, answered;

	return created_parse(created_at, &created) && date_parse(date, &answered) &&
	       created + SLACK < answered;
}
