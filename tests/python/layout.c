/* layout.c: prints the row of user/python_layout.def for the CPython whose headers it is compiled with. */
#define Py_BUILD_CORE 1
#include <Python.h>
#include <frameobject.h>
#include <stddef.h>
#include <stdio.h>
#if PY_VERSION_HEX >= 0x03080000
#include "internal/pycore_pystate.h"
#elif PY_VERSION_HEX >= 0x03070000
#include "internal/pystate.h"
#endif
#if PY_VERSION_HEX >= 0x03090000
#include "internal/pycore_interp.h"
#endif
#if PY_VERSION_HEX >= 0x030b0000
#include "internal/pycore_frame.h"
#else
typedef PyFrameObject _PyInterpreterFrame;
#define previous   f_back
#define prev_instr f_lasti
#endif

#define AT(type, field) (int)offsetof(type, field)
#if PY_VERSION_HEX >= 0x03070000
#define RUNTIME(field) AT(_PyRuntimeState, field)
#else
/* No such struct: distances are from _PyThreadState_Current, and the interpreters are nobody's symbol. */
#define RUNTIME(field) -1
#endif
#define INTERP(field) AT(PyInterpreterState, field)
#define THREAD(field) AT(PyThreadState, field)
#define FRAME(field)  AT(_PyInterpreterFrame, field)
#define CODE(field)   AT(PyCodeObject, field)

int main(void)
{
	int gil_current = -1, gil = -1, holder = -1, key = -1, threads, cframe = -1, frame, code,
	    at, owner = -1;
	int text = -1, traceable = -1, table, name;

#if PY_VERSION_HEX >= 0x030c0000
	gil = INTERP(ceval.gil);
	holder = AT(struct _gil_runtime_state, last_holder);
#elif PY_VERSION_HEX < 0x03070000
	gil_current = 0;
#else
	gil_current = RUNTIME(gilstate.tstate_current);
#endif
#if PY_VERSION_HEX >= 0x030c0000
	key = RUNTIME(autoTSSkey);
#elif PY_VERSION_HEX >= 0x03070000
	key = RUNTIME(gilstate.autoTSSkey);
#endif
#if PY_VERSION_HEX >= 0x030b0000
	threads = INTERP(threads.head);
	owner = FRAME(owner);
	text = CODE(co_code_adaptive);
	traceable = CODE(_co_firsttraceable);
	name = CODE(co_qualname);
#else
	threads = INTERP(tstate_head);
	name = CODE(co_name);
#endif
#if PY_VERSION_HEX >= 0x030d0000
	frame = THREAD(current_frame);
	code = FRAME(f_executable);
	at = FRAME(instr_ptr);
#elif PY_VERSION_HEX >= 0x030b0000
	cframe = THREAD(cframe);
	frame = AT(_PyCFrame, current_frame);
	code = FRAME(f_code);
	at = FRAME(prev_instr);
#else
	frame = THREAD(frame);
	code = FRAME(f_code);
	at = FRAME(f_lasti);
#endif
#if PY_VERSION_HEX >= 0x030a0000
	table = CODE(co_linetable);
#else
	table = CODE(co_lnotab);
#endif
	printf("LAYOUT(0x%04x, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d)\n",
	       PY_VERSION_HEX >> 16, gil_current, RUNTIME(interpreters.head), INTERP(next), gil,
	       holder, key, threads, THREAD(thread_id), THREAD(next), cframe, frame,
	       FRAME(previous), code, at, owner, text, traceable, CODE(co_name), name,
	       CODE(co_filename), CODE(co_firstlineno), table, (int)sizeof(PyASCIIObject));
	return 0;
}
