/* shell_origin.c: where the bytes come from that a shell puts into a word: substitutions, variables, escapes. */
#include <string.h>
#include "payload.h"
#include "shell_step.h"

#define ESCAPES_MIN 8

/* Of the substitution or variable at i of a word; 0: none is there, or it is of no source. */
static unsigned origins_at(struct step *x, struct span w, size_t i)
{
	struct span rest = { w.ptr + i + 1, w.len - i - 1 };
	unsigned origins;

	if (w.ptr[i] == '`')
		return x->l->below;
	if (w.ptr[i] != '$' || !rest.len)
		return 0;
	if (rest.ptr[0] == '(')
		return x->l->below;
	if (rest.ptr[0] == '\'' && payload_escapes(rest) >= ESCAPES_MIN)
		return ORIGIN_DECODER | UNTOLD;
	if (rest.ptr[0] == '{')
		rest = (struct span){ rest.ptr + 1, rest.len - 1 };
	rest.len = variable_length(rest);
	origins = taint_of_variable(&x->f->taints, rest);
	return origins ? origins | UNTOLD : 0;
}

unsigned step_word(struct step *x, struct span w)
{
	unsigned origins = 0;

	for (size_t i = 0; i < w.len && w.ptr[0] != '\''; i++)
		origins |= origins_at(x, w, i);
	return origins;
}

unsigned step_program(struct step *x, struct span w)
{
	unsigned origins = 0;
	bool begins = true;

	for (size_t i = 0; i < w.len && w.ptr[0] != '\''; i++) {
		if (begins)
			origins |= origins_at(x, w, i);
		if (w.ptr[i] && strchr(";&|({\n", w.ptr[i]))
			begins = true;
		else if (w.ptr[i] != '"' && w.ptr[i] != ' ')
			begins = false;
	}
	return origins;
}

/* A first word that is nothing else: $x, "${x}", $(...), $'\x69\x64'; not $DIR/program. */
unsigned step_command(struct step *x, struct span w)
{
	size_t end;

	if (w.len > 1 && w.ptr[0] == '"')
		w = (struct span){ w.ptr + 1, w.len - 2 };
	if (w.len < 2)
		return 0;
	end = w.len - 1;
	if (w.ptr[0] == '`')
		return w.ptr[end] == '`' ? origins_at(x, w, 0) : 0;
	if (w.ptr[0] != '$')
		return 0;
	if (w.ptr[1] == '\'')
		return payload_escapes(w) ? ORIGIN_DECODER | UNTOLD : 0;
	if (w.ptr[1] == '(')
		return w.ptr[end] == ')' ? origins_at(x, w, 0) : 0;
	if (w.ptr[1] == '{')
		return w.ptr[end] == '}' ? origins_at(x, w, 0) : 0;
	return variable_length((struct span){ w.ptr + 1, end }) == end ? origins_at(x, w, 0) : 0;
}

void step_assign(struct step *x, struct span word)
{
	const char *sign = memchr(word.ptr, '=', word.len);
	struct span value;

	if (!sign)
		return;
	value = (struct span){ sign + 1, (size_t)(word.ptr + word.len - sign - 1) };
	taint_variable(&x->f->taints, (struct span){ word.ptr, (size_t)(sign - word.ptr) },
		       step_word(x, value));
}
