/* plain.c: what reports for people are made of: ASCII, so that a byte is a column and nothing steers a terminal. */
#include <string.h>
#include <sys/wait.h>
#include "codec.h"
#include "plain.h"

static void add_ascii(struct buf *out, struct span s)
{
	struct buf b = { 0 };

	text_escape(s, 4096, &b);
	for (size_t i = 0; i < b.len; i++) {
		unsigned char c = (unsigned char)b.ptr[i];

		/* Not even valid UTF-8: it can turn the direction of writing. */
		if (c < 0x20 || c > 0x7e)
			buf_fmt(out, "\\x%02x", c);
		else
			buf_byte(out, (char)c);
	}
	buf_free(&b);
}

void plain_text(struct buf *out, const struct masker *m, struct span s)
{
	size_t plain = 0;

	if (s.len > 4096)
		s.len = 4096;
	for (size_t i = 0; i <= s.len;) {
		const struct secret *which = NULL;
		size_t n = 0;

		if (i < s.len && (unsigned char)s.ptr[i] == 0xff)
			n = masker_at(m, (struct span){ s.ptr + i, s.len - i }, &which);
		if (!n && i < s.len) {
			i++;
			continue;
		}
		if (i > plain)
			add_ascii(out, (struct span){ s.ptr + plain, i - plain });
		if (n) {
			buf_str(out, "<redacted:");
			secret_label(which, out);
			buf_byte(out, '>');
		}
		i += n ? n : 1;
		plain = i;
	}
}

void plain_status(struct buf *b, int status)
{
	if (status == -1)
		buf_str(b, "status unknown");
	else if (WIFSIGNALED(status))
		buf_fmt(b, "signal %d", WTERMSIG(status));
	else
		buf_fmt(b, "exit %d", WEXITSTATUS(status));
}

void plain_duration(struct buf *b, const struct run *r)
{
	uint64_t ms = r->ended > r->began ? (r->ended - r->began) / 1000000 : 0, s = ms / 1000;

	if (s < 60)
		buf_fmt(b, "%u.%u s", (unsigned)s, (unsigned)(ms % 1000 / 100));
	else if (s < 3600)
		buf_fmt(b, "%u min %u s", (unsigned)(s / 60), (unsigned)(s % 60));
	else
		buf_fmt(b, "%llu h %u min", (unsigned long long)(s / 3600),
			(unsigned)(s / 60 % 60));
}

void plain_gate(struct buf *b, const char *verdict)
{
	if (!verdict || !strcmp(verdict, "off"))
		buf_str(b, "no --fail-on");
	else
		buf_fmt(b, "gate %s", verdict);
}
