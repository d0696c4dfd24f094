/* stream_line.h: what the files behind stream.h share: one line, from its number to the sink. */
#ifndef INVIGIL_STREAM_LINE_H
#define INVIGIL_STREAM_LINE_H

#include "stream.h"

/*
 * Gives the line its number and opens its event object, which the caller closes. False: the line
 * counts but is not written. always: alerts, the run's start and end, health.
 */
bool stream_line_begin(struct stream *s, uint64_t time, const struct frame *f, bool always);
/* Opens invigil and invigil.run. It comes last in a line: jsonw_raw() sums up what stood before. */
void stream_invigil_begin(struct stream *s);
/* Closes invigil and hands the line out. */
void stream_line_end(struct stream *s);
/* stream_run.c: what the run is, in invigil.run of its start and end. */
void stream_run_write(struct jsonw *j, const struct run *r);

#endif
