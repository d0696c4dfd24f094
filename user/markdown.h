/* markdown.h: the report of a run for a job's summary or a pull request (GitHub Flavored Markdown). Pure. */
#ifndef INVIGIL_MARKDOWN_H
#define INVIGIL_MARKDOWN_H

#include "summary.h"

#define MARKDOWN_ALERTS 200 /* more are counted; they are in the stream */
#define MARKDOWN_TESTS  100 /* test cases with a row of their own */

/* files, colour and verbose of in are not looked at. */
void markdown_write(const struct summary_input *in, struct buf *out);

#endif
