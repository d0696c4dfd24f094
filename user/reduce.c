/* reduce.c: picks alerts, the run's start and end, and health events from a full stream. */
#include <string.h>
#include "reduce.h"

/*
 * Our own writer made the line: inside of a string each quote has a backslash before it, so these
 * bytes are what they look like.
 */
bool line_reduce(struct span line, uint64_t *sequence, struct buf *out)
{
	static const char event[] = "\"event\":{\"kind\":\"event\"", ours[] = "\"invigil\":{";
	long at = span_find(line, SPAN(ours));

	if (at < 0 || span_find(line, SPAN(event)) >= 0)
		return false;
	at += sizeof(ours) - 1;
	buf_add(out, line.ptr, at);
	buf_fmt(out, "\"output\":{\"reduced\":true,\"sequence\":%llu},",
		(unsigned long long)++*sequence);
	buf_add(out, line.ptr + at, line.len - at);
	return true;
}
